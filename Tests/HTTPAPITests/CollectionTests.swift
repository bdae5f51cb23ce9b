// What each collection answers, as a table.

import HTTPAPI
import HTTPTypes
import LedgerFixture
import LedgerStore
import Quantities
import Testing

@Suite("Collections answer what the public views show")
struct CollectionTests {
    private static let tables: [(uri: String, table: String)] = [
        (
            "/v1/tenants",
            """
            tenant  name    legacy
            acme    acme    false
            globex  globex  true
            """
        ),
        (
            "/v1/apps",
            """
            app     name    tenant
            kiosk   kiosk   acme
            mobile  mobile  globex
            shop    shop    acme
            """
        ),
        (
            "/v1/apps?tenant=globex",
            """
            app     name    tenant
            mobile  mobile  globex
            """
        ),
        (
            "/v1/grants?tenant=acme&status=active",
            """
            grant_code  offer             item            month  granted  consumed  remaining  end_day     status
            ARMOR       subscription      security_armor  -      -        -         -          2027-02-11  active
            CALLS       resource_package  gateway_calls   -      1000     0         1000       2028-01-11  active
            """
        ),
        (
            "/v1/grants?grant_code=CALLS&status=active",
            """
            tenant  grant_code  effective_day
            acme    CALLS       2027-01-11
            """
        ),
        (
            "/v1/usage/days",
            """
            tenant  app     item            usage_day   posted_day  quantity  active_devices
            acme    kiosk   basic_analysis  2027-01-10  2027-01-10  1         1
            acme    shop    basic_analysis  2027-01-09  2027-01-11  1         0
            acme    shop    basic_analysis  2027-01-10  2027-01-10  2         2
            acme    shop    gateway_calls   2027-01-10  2027-01-10  1500      0
            globex  mobile  gateway_calls   2027-01-10  2027-01-10  20000     0
            globex  mobile  gateway_calls   2027-01-12  2027-01-12  3         0
            """
        ),
        (
            "/v1/usage/days?item=gateway_calls&from=2027-01-11&to=2027-01-12",
            """
            tenant  app     item           usage_day   quantity
            globex  mobile  gateway_calls  2027-01-12  3
            """
        ),
        (
            "/v1/usage/months?app=shop&month=2027-01",
            """
            tenant  app   item            month    devices
            acme    shop  basic_analysis  2027-01  3
            """
        ),
        // By the ledger's clock, which stands at its latest instant: January 13th.
        (
            "/v1/usage/days?item=gateway_calls&from=yesterday&to=today",
            """
            tenant  app     item           usage_day   quantity
            globex  mobile  gateway_calls  2027-01-12  3
            """
        ),
        ("/v1/usage/days?from=today", "tenant"),
        (
            "/v1/ledger?from=yesterday",
            """
            entry_id  posted_day
            7         2027-01-12
            """
        ),
        (
            "/v1/bills?to=yesterday&tenant=globex",
            """
            tenant  day
            globex  2027-01-10
            globex  2027-01-12
            """
        ),
        (
            "/v1/ledger",
            """
            entry_id  posted_day  usage_day   tenant  app     item            source    grant_code  quantity
            1         2027-01-10  2027-01-10  acme    -       gateway_calls   purchase  CALLS       0
            2         2027-01-10  2027-01-10  acme    kiosk   basic_analysis  overage   -           1
            3         2027-01-10  2027-01-10  acme    shop    basic_analysis  overage   -           2
            4         2027-01-10  2027-01-10  acme    shop    gateway_calls   overage   -           1500
            5         2027-01-10  2027-01-10  globex  mobile  gateway_calls   overage   -           20000
            6         2027-01-11  2027-01-09  acme    shop    basic_analysis  overage   -           1
            7         2027-01-12  2027-01-12  globex  mobile  gateway_calls   overage   -           3
            """
        ),
        (
            "/v1/ledger?from=2027-01-11&to=2027-01-11",
            """
            entry_id  amount_micros  currency  tier  price_version  run_id  created_at
            6         30000          USD       1     1              2       2027-01-13T12:00:00Z
            """
        ),
        (
            "/v1/ledger?source=purchase",
            """
            entry_id  amount_micros  tier  price_version  run_id  reason
            1         60000000       -     -              -       purchase of resource_package CALLS
            """
        ),
        (
            "/v1/ledger?tenant=acme&app=shop&source=overage&to=2027-01-10",
            """
            entry_id  app   source
            3         shop  overage
            4         shop  overage
            """
        ),
        (
            "/v1/bills",
            """
            tenant  day         status  amount_micros  payable_micros  currency  due_day     reference_app
            acme    2027-01-10  final   112500         110000          USD       2027-01-28  shop
            acme    2027-01-11  draft   30000          30000           USD       -           shop
            globex  2027-01-10  final   300000         300000          USD       2027-01-28  mobile
            globex  2027-01-12  draft   45             0               USD       -           mobile
            """
        ),
        (
            "/v1/bills?tenant=acme&from=2027-01-11&to=2027-01-31",
            """
            tenant  day
            acme    2027-01-11
            """
        ),
        (
            "/v1/statements?month=2027-01",
            """
            tenant  month    status  amount_micros  payable_micros  remainder_micros  currency
            acme    2027-01  draft   142500         140000          2500              USD
            globex  2027-01  draft   300045         300000          45                USD
            """
        ),
        (
            "/v1/quarantine",
            """
            number  arrived_at            code         reason                            source  id
            1       2027-01-10T12:00:00Z  unknown_app  app 'ghost' is not in the ledger  /test   Zürich "7"
            2       2027-01-10T12:00:00Z  malformed    specversion is missing            -       -
            """
        ),
        (
            "/v1/quarantine?code=malformed",
            """
            number  event
            2       {}
            """
        ),
        ("/v1/ledger?tenant=nobody", "entry_id"),
        ("/v1/apps?tenant=no%20code+at%20all%C3%A9", "app"),
        ("/v1/usage/days?from=2027-01-12&to=2027-01-11", "tenant"),
    ]

    @Test("in the columns and by the filters that the document names")
    func tables() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            for (uri, table) in Self.tables {
                let answer = try await api.get(uri)
                #expect(answer.status == 200, "\(uri)")
                #expect(answer.type == "application/json", "\(uri)")
                let actual = try answer.table(like: table)
                #expect(actual == table, "\(uri)")
            }
        }
    }

    @Test(
        "Yesterday is counted from the daemon's own test clock, or from the ledger's latest instant where that is later",
        arguments: [(daemon: 14, yesterday: "2027-01-13"), (daemon: 11, yesterday: "2027-01-12")])
    func yesterday(daemon day: Int, yesterday: String) async throws {
        let noon = Instant(micros: Int64(Day(2027, 1, day).number) * 86_400_000_000 + 43_200_000_000)
        try await APIScene.run(over: try APIScene.ledger(), clock: LedgerClock(given: noon)) { api in
            let named = try await api.get("/v1/usage/days?from=yesterday").items()
            let dated = try await api.get("/v1/usage/days?from=\(yesterday)").items()
            #expect(named == dated)
            // Of January 12th there is usage, of the days after it there is none.
            #expect(named.isEmpty == (day == 14))
        }
    }

    @Test("HEAD has the headers of GET and no body; a path may end in a slash")
    func head() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let get = try await api.get("/v1/tenants/")
            let head = try await api.get("/v1/tenants", method: .head)
            #expect(head.status == 200)
            #expect(head.headers == get.headers)
            #expect(head.text == "")
        }
    }

    @Test("An event in quarantine is shown as it came, as far as it is text")
    func strangeEvents() async throws {
        let fixture = try APIScene.ledger()
        try fixture.execute("UPDATE quarantine SET event = x'7b0022ff7d0a' WHERE quarantine_id = 2")
        try await APIScene.run(over: fixture) { api in
            let event = try await api.get("/v1/quarantine?code=malformed").items().first?["event"]
            #expect(event == .string("{\u{0}\"\u{FFFD}}\n"))
        }
    }
}
