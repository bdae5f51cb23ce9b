// The price book that a ledger starts with when it is given no other, and the example that people copy.

extension PriceBookFile {
    /// The book `mpaas` as a file: the list prices of mPaaS (Billing rules, section 3).
    package static let builtIn = """
        # The mPaaS price book. Copy it to write your own; `meterd price-book check FILE` reads a book and applies
        # nothing. A book that follows another one keeps its currency, its items and their aggregations.
        book: mpaas
        effective: 2026-01-01   # the first local day that it prices
        currency: USD           # ISO 4217

        # What prices attach to.
        #   aggregation  unique_devices: a device counts once per app and month; sum: quantities of events are added
        #   tiers        graduated over the month: the price of a tier holds up to its up_to (inclusive, in units of the
        #                month), the last tier has none. A first tier of price "0" is a free allowance, for example
        #                tiers: [ { up_to: 10000, price: "0" }, { price: "0.15", per: 10000 } ]
        #   price, per   a decimal number of at most 12 decimals for so many units: 1 (default), 10, 100 …
        #   free         metered and shown, always 0
        items:
          version_release:
            { name: Number of devices for version release, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          h5_offline_package:
            { name: Number of devices for H5 offline package, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          basic_analysis:
            { name: Number of devices for basic analysis, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          custom_analysis:
            { name: Number of devices for custom analysis, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          performance_analysis:
            { name: Number of devices for App performance analysis, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          message_push:
            { name: Number of devices for message push, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          data_sync:
            { name: Number of devices for data synchronization, unit: device, aggregation: unique_devices,
              tiers: [ { price: "0.03" } ] }
          gateway_calls:
            { name: Number of API calls, unit: call, aggregation: sum,
              tiers: [ { price: "0.15", per: 10000 } ] }

          frontend_framework:
            { name: Frontend Framework and UI Component, unit: device, aggregation: unique_devices, free: true }
          social_sharing: { name: Social Sharing, unit: device, aggregation: unique_devices, free: true }
          device_id: { name: Device ID, unit: device, aggregation: unique_devices, free: true }
          datacenter: { name: Datacenter, unit: device, aggregation: unique_devices, free: true }
          location: { name: Location Based Service, unit: device, aggregation: unique_devices, free: true }

          # Legacy items are metered only for tenants marked legacy, and only if the book gives them a price. Everybody
          # else is pointed to the items in replaced_by. This book has no prices for them; yours may, for example
          # tiers: [ { up_to: 10000, price: "0" }, { price: "0.96", per: 10000 } ]
          release_update_api:
            { name: Release Update API, unit: call, aggregation: sum, legacy: true,
              replaced_by: [ version_release ] }
          package_download_traffic:
            { name: Package Download Traffic, unit: byte, aggregation: sum, legacy: true,
              replaced_by: [ h5_offline_package ] }
          log_reporting_traffic:
            { name: Event tracking log reporting traffic, unit: byte, aggregation: sum, legacy: true,
              replaced_by: [ basic_analysis, custom_analysis, performance_analysis ] }
          historical_log_storage:
            { name: Historical log storage, unit: byte, aggregation: sum, legacy: true,
              replaced_by: [ basic_analysis, custom_analysis, performance_analysis ] }
          diagnostic_log_pulls:
            { name: Diagnostic log pull count, unit: pull, aggregation: sum, legacy: true,
              replaced_by: [ basic_analysis, custom_analysis, performance_analysis ] }
          pushed_messages:
            { name: Number of pushed messages, unit: message, aggregation: sum, legacy: true,
              replaced_by: [ message_push ] }
          synchronized_messages:
            { name: Number of synchronized messages, unit: message, aggregation: sum, legacy: true,
              replaced_by: [ data_sync ] }

        # What customers use, and which items it feeds. A feature that feeds none is licensed, not metered. An item
        # is also fed by events that name its own code, unless a feature has that code.
        features:
          version_upgrade:       { name: Version Upgrade, items: [ version_release ] }
          mobile_gateway:        { name: Mobile Gateway Service, items: [ gateway_calls ] }
          data_sync:             { name: Data Sync Service, items: [ data_sync ] }
          message_push:          { name: Message Push Service, items: [ message_push ] }
          basic_analysis:        { name: Basic Analysis, items: [ basic_analysis ] }
          custom_analysis:       { name: Custom Analysis, items: [ custom_analysis ] }
          performance_analysis:  { name: Performance Analysis, items: [ performance_analysis ] }
          security_armor:        { name: Mobile Security Armor, items: [] }
          mini_program_release:  { name: Mini Program Release, items: [ h5_offline_package ] }
          mini_program_analysis:
            { name: Mini Program Analysis,
              items: [ basic_analysis, custom_analysis, performance_analysis ] }
          h5_offline_package:    { name: H5 Container and Offline Package, items: [ h5_offline_package ] }
          code_scanner:          { name: Code Scanner, items: [ basic_analysis ] }   # scanning reports logs
          frontend_framework:    { name: Frontend Framework and UI Component, items: [ frontend_framework ] }
          social_sharing:        { name: Social Sharing, items: [ social_sharing ] }
          device_id:             { name: Device ID, items: [ device_id ] }
          datacenter:            { name: Datacenter, items: [ datacenter ] }
          location:              { name: Location Based Service, items: [ location ] }
          kernel:                { name: mPaaS kernel, items: [] }

        # What can be bought in advance. There are these three offers; leave one out and it is not on sale.
        offers:
          mini_program_package:
            name: Mini Program package
            term: year
            devices: { min: 10000, max: 100000 }   # monthly active devices that the package is bought for
            monthly:                               # granted anew every calendar month; devices: as many as bought
              h5_offline_package: devices
              basic_analysis: devices
              custom_analysis: devices
              performance_analysis: devices
              gateway_calls: 20000000
            licences: [ kernel ]
          resource_package: { name: Resource package, term: year }   # a fixed total of one item
          subscription: { name: Subscription, terms: [ month, year ] }

        """
}
