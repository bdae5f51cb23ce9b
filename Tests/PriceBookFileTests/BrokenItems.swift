// Mistakes in items and their tiers, with the problems that they give.

extension BrokenBook {
    static let items: [BrokenBook] = [
        BrokenBook(
            "no code as an item", "  devices: { aggregation:", "  my devices: { aggregation:",
            at(
                5, 3, "items.my devices",
                "`my devices` is not a code; a code has 1 to 64 characters out of A-Z a-z 0-9 . _ : @ / - and begins with a letter or a digit"
            ),
            at(9, 23, "features.scanner.items[0]", "the book has no item devices; add it under items"),
            at(
                14, 25, "offers.mini_program_package.monthly.devices",
                "the book has no item devices; add it under items")),
        BrokenBook(
            "an item without a value", "devices: { aggregation: unique_devices, tiers: [ { price: \"0.03\" } ] }",
            "devices:",
            at(
                5, 11, "items.devices",
                "the value is missing; write a map with the keys of an item: name, unit, aggregation, tiers, free, legacy, replaced_by"
            )),
        BrokenBook(
            "no aggregation", "aggregation: sum, tiers:", "tiers:",
            at(6, 10, "items.calls.aggregation", "an item needs this key; write unique_devices or sum")),
        BrokenBook(
            "an unknown aggregation", "calls: { aggregation: sum", "calls: { aggregation: max",
            at(6, 25, "items.calls.aggregation", "`max` is unknown; write unique_devices or sum")),
        BrokenBook(
            "an item without a price", "unique_devices, tiers: [ { price: \"0.03\" } ]", "unique_devices",
            at(
                5, 12, "items.devices",
                "the item has no price; write tiers, like [ { price: \"0.03\" } ], or free: true (only a legacy item may have neither)"
            )),
        BrokenBook(
            "free: false is no price", "tiers: [ { price: \"0.03\" } ]", "free: false",
            at(
                5, 12, "items.devices",
                "the item has no price; write tiers, like [ { price: \"0.03\" } ], or free: true (only a legacy item may have neither)"
            )),
        BrokenBook(
            "tiers and free", "\"0.03\" } ]", "\"0.03\" } ], free: true",
            at(5, 79, "items.devices.free", "the item has tiers and is free; remove one of the two keys")),
        BrokenBook(
            "a quoted truth value", "tiers: [ { price: \"0.03\" } ]", "free: \"true\"",
            at(5, 49, "items.devices.free", "`true` is a text here; write true without quotes")),
        BrokenBook(
            "yes for true", "tiers: [ { price: \"0.03\" } ]", "free: yes",
            at(5, 49, "items.devices.free", "`yes` is neither true nor false; write true")),
        BrokenBook(
            "a word for true or false", "tiers: [ { price: \"0.03\" } ]", "free: perhaps",
            at(5, 49, "items.devices.free", "`perhaps` is neither true nor false; write one of these, in small letters")
        ),
        BrokenBook(
            "a name that is a number with a comma", "  calls: { aggregation:", "  calls: { name: 5,000, aggregation:",
            at(6, 18, "items.calls.name", "a comma ends a value in braces; put `5,000` in quotes")),
        BrokenBook(
            "an item whose code differs from another only in capital letters", "  calls: { aggregation:",
            "  Devices: { aggregation: sum, free: true }\n  calls: { aggregation:",
            at(6, 3, "items.Devices", "Devices differs from devices only in capital letters; choose another code")),
        BrokenBook(
            "a name on two lines", "devices: { aggregation:", "devices: { name: \"two\\nlines\", aggregation:",
            at(
                5, 20, "items.devices.name",
                "`two\\nlines` has the control character U+000A; write a text on one line")),
        BrokenBook(
            "a blank unit", "devices: { aggregation:", "devices: { unit: \" \", aggregation:",
            at(5, 20, "items.devices.unit", "the text is blank; write one, or leave the key out for unit")),
        BrokenBook(
            "a list as a name", "devices: { aggregation:", "devices: { name: [ a ], aggregation:",
            at(5, 20, "items.devices.name", "this is a list; write a text, or leave the key out for devices")),
        BrokenBook(
            "a legacy item without replacement", "true, replaced_by: [ calls ]", "true",
            at(
                7, 8, "items.old.replaced_by",
                "an item needs this key; write a list of the items that replace it, like [ data_sync ]")),
        BrokenBook(
            "a replacement of a current item", "10000 } ]", "10000 } ], replaced_by: [ devices ]",
            at(6, 112, "items.calls.replaced_by", "only a legacy item is replaced; remove the key or add legacy: true")),
        BrokenBook(
            "an unknown replacement", "[ calls", "[ cals",
            at(7, 57, "items.old.replaced_by[0]", "the book has no item cals; did you mean calls?")),
        BrokenBook(
            "an item that replaces itself", "[ calls", "[ old",
            at(
                7, 57, "items.old.replaced_by[0]",
                "an item can't replace itself; name the item that customers use today")),
        BrokenBook(
            "no replacement in the list", " calls ", "",
            at(
                7, 55, "items.old.replaced_by",
                "the list is empty; write a list of the items that replace it, like [ data_sync ]")),
    ]

    static let tiers: [BrokenBook] = [
        BrokenBook(
            "no tier", "{ price: \"0.03\" }", "",
            at(5, 50, "items.devices.tiers", "the list is empty; write a list of tiers, like [ { price: \"0.03\" } ]")),
        BrokenBook(
            "a tier instead of a list", "[ { price: \"0.03\" } ]", "{ price: \"0.03\" }",
            at(5, 50, "items.devices.tiers", "this is a map; write a list of tiers, like [ { price: \"0.03\" } ]")),
        BrokenBook(
            "a number as a tier", "{ price: \"0.03\" }", "0.03",
            at(
                5, 52, "items.devices.tiers[0]",
                "`0.03` is a single value; write a map with the keys of a tier: price, per, up_to")),
        BrokenBook(
            "no price", "price: \"0.15\", per:", "per:",
            at(6, 66, "items.calls.tiers[1].price", "a tier needs this key; write a decimal number, like \"0.03\"")),
        BrokenBook(
            "thirteen decimals", "\"0.15\"", "\"0.0000000000001\"",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`0.0000000000001` is not a price; write digits with at most 12 before and 12 after the decimal point, like \"0.03\""
            )),
        BrokenBook(
            "an exponent", "\"0.15\"", "1.5e-1",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`1.5e-1` is not a price; write digits with at most 12 before and 12 after the decimal point, like \"0.03\""
            )),
        BrokenBook(
            "a decimal comma", "\"0.15\"", "\"0,15\"",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`0,15` is not a price; write \"0.15\"")
        ),
        BrokenBook(
            "a decimal comma without quotes", "\"0.15\"", "0,15",
            at(6, 75, "items.calls.tiers[1].price", "`0,15` is not a price; write \"0.15\"")),
        BrokenBook(
            "a comma that may be one or the other", "\"0.15\"", "1,000",
            at(6, 75, "items.calls.tiers[1].price", "`1,000` is not a price; write \"1000\" or \"1.000\"")),
        BrokenBook(
            "commas and a point", "\"0.15\"", "1,000,000.50",
            at(6, 75, "items.calls.tiers[1].price", "`1,000,000.50` is not a price; write \"1000000.50\"")),
        BrokenBook(
            "a per with a comma", "10000", "10,000",
            at(
                6, 88, "items.calls.tiers[1].per",
                "`10,000` is not a power of ten that a price can be for; write 10000, digits only")),
        BrokenBook(
            "a per with an exponent", "10000", "1e4",
            at(
                6, 88, "items.calls.tiers[1].per",
                "`1e4` is not a power of ten that a price can be for; write 10000, digits only")),
        BrokenBook(
            "a bound with a comma", "up_to: 10", "up_to: 10,000",
            at(6, 48, "items.calls.tiers[0].up_to", "`10,000` does not fit here; write 10000, digits only")),
        BrokenBook(
            "a negative price", "\"0.15\"", "-0.15",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`-0.15` is not a price; write digits with at most 12 before and 12 after the decimal point, like \"0.03\""
            )),
        BrokenBook(
            "a minus before nothing", "\"0.15\"", "-0",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`-0` is not a price; write digits with at most 12 before and 12 after the decimal point, like \"0.03\""
            )),
        BrokenBook(
            "a price of a trillion", "\"0.15\"", "1000000000000",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`1000000000000` is not a price; write digits with at most 12 before and 12 after the decimal point, like \"0.03\""
            )),
        BrokenBook(
            "a currency sign", "\"0.15\"", "$0.15",
            at(
                6, 75, "items.calls.tiers[1].price",
                "`$0.15` is not a price; write \"0.15\"")),
        BrokenBook(
            "a per that is no power of ten", "10000", "5000",
            at(
                6, 88, "items.calls.tiers[1].per",
                "`5000` is not a power of ten that a price can be for; write a power of ten from 1 to 1000000000")),
        BrokenBook(
            "a per of ten billion", "10000", "10000000000",
            at(
                6, 88, "items.calls.tiers[1].per",
                "`10000000000` is not a power of ten that a price can be for; write a power of ten from 1 to 1000000000"
            )),
        BrokenBook(
            "a per of zero", "10000", "0",
            at(
                6, 88, "items.calls.tiers[1].per",
                "`0` is not a power of ten that a price can be for; write a power of ten from 1 to 1000000000")),
        BrokenBook(
            "no bound before the last tier", "up_to: 10, price:", "price:",
            at(
                6, 39, "items.calls.tiers[0].up_to",
                "a tier needs this key; write the last unit of the month that the tier prices (only the last tier has none)"
            )),
        BrokenBook(
            "a bound in the last tier", "per:", "up_to: 20, per:",
            at(
                6, 90, "items.calls.tiers[1].up_to",
                "the last tier has no bound; remove up_to or add a tier for what lies beyond it")),
        BrokenBook(
            "a bound that does not ascend", ", { price:", ", { up_to: 10, price: 1 }, { price:",
            at(
                6, 75, "items.calls.tiers[1].up_to",
                "10 is not above 10, the bound of the tier before; write a larger bound")),
        BrokenBook(
            "a bound of zero", "up_to: 10", "up_to: 0",
            at(
                6, 48, "items.calls.tiers[0].up_to",
                "`0` does not fit here; write a whole number from 1 to 9223372036854775807, digits only")),
        BrokenBook(
            "a bound with underscores", "up_to: 10", "up_to: 1_000",
            at(
                6, 48, "items.calls.tiers[0].up_to",
                "`1_000` does not fit here; write 1000, digits only")),
        BrokenBook(
            "a bound with leading zeros", "up_to: 10", "up_to: 010",
            at(
                6, 48, "items.calls.tiers[0].up_to",
                "`010` does not fit here; write a whole number from 1 to 9223372036854775807, digits only")),
        BrokenBook(
            "a bound beyond 64 bits", "up_to: 10", "up_to: 9223372036854775808",
            at(
                6, 48, "items.calls.tiers[0].up_to",
                "`9223372036854775808` does not fit here; write a whole number from 1 to 9223372036854775807, digits only"
            )),
    ]
}
