// Mistakes of the file as a whole, of keys and at the top of the book, with the problems that they give.

extension BrokenBook {
    static let files: [BrokenBook] = [
        BrokenBook(
            "a map in brackets that is not closed", "10000 } ] }", "10000 } ] ",
            at(
                7, 3, "",
                "this is not valid YAML: did not find expected ',' or '}' (while parsing a flow mapping from line 6, column 10); check the brackets, commas and indentation in this line and before"
            )),
        BrokenBook(
            "a tab as indentation", "  devices: { aggregation:", "\tdevices: { aggregation:",
            at(
                5, 1, "",
                "this is not valid YAML: found character that cannot start any token (while scanning for the next token from line 5, column 1); indent with spaces instead of tabs, and put texts that begin with a special character in quotes"
            )),
        BrokenBook(
            "a text with a colon", "USD", "U: S",
            at(
                3, 12, "",
                "this is not valid YAML: mapping values are not allowed in this context; check the indentation, and put texts with a colon in quotes"
            )),
        BrokenBook(
            "an alias without an anchor", "[ kernel ]", "*kernel",
            at(15, 15, "", "this is not valid YAML: found undefined alias; write the anchor (&) before its alias (*)")),
        BrokenBook(
            "quotes that are not closed", "\"0.03\"", "\"0.03",
            at(
                6, 60, "",
                "this is not valid YAML: did not find expected ',' or '}' (while parsing a flow mapping from line 5, column 52); check the brackets, commas and indentation in this line and before"
            )),
        BrokenBook(
            "an unknown escape", "\"0.03\"", "\"\\q\"",
            at(
                5, 62, "",
                "this is not valid YAML: found unknown escape character (while parsing a quoted scalar from line 5, column 61); write \\\\ for a backslash in double quotes"
            )),
        BrokenBook(
            "half a surrogate pair", "\"0.03\"", "\"\\ud83d\"",
            at(
                5, 64, "",
                "this is not valid YAML: found invalid Unicode character escape code (while parsing a quoted scalar from line 5, column 61); write the character itself, in UTF-8"
            )),
        BrokenBook(
            "a second document", "items:\n", "---\nbook: other\nitems:\n",
            at(4, 1, "", "a second document begins here; a file holds one price book: remove the --- or split the file")
        ),
        BrokenBook(
            "a control character", "small", "small\u{7}",
            at(1, 12, "", "U+0007 is a character that YAML does not allow; remove it and save the file as UTF-8")),
        BrokenBook(
            "a NUL character", "USD", "USD\u{0}",
            at(3, 14, "", "U+0000 is a character that YAML does not allow; remove it and save the file as UTF-8")),
    ]

    static let keys: [BrokenBook] = [
        BrokenBook(
            "a misspelt key of a book", "effective:", "efective:",
            at(1, 1, "effective", "a price book needs this key; write the first day that it prices, like 2026-01-01"),
            at(
                2, 1, "efective",
                "`efective` is not a key of a price book; did you mean effective? The keys are book, effective, currency, items, features, offers"
            )),
        BrokenBook(
            "a key without a neighbour", "effective:", "vat: 19\neffective:",
            at(
                2, 1, "vat",
                "`vat` is not a key of a price book. The keys are book, effective, currency, items, features, offers")),
        BrokenBook(
            "a misspelt key of an item", "calls: { aggregation:", "calls: { agregation:",
            at(6, 10, "items.calls.aggregation", "an item needs this key; write unique_devices or sum"),
            at(
                6, 12, "items.calls.agregation",
                "`agregation` is not a key of an item; did you mean aggregation? The keys are name, unit, aggregation, tiers, free, legacy, replaced_by"
            )),
        BrokenBook(
            "a misspelt key of a tier", "up_to:", "upto:",
            at(
                6, 39, "items.calls.tiers[0].up_to",
                "a tier needs this key; write the last unit of the month that the tier prices (only the last tier has none)"
            ),
            at(
                6, 41, "items.calls.tiers[0].upto",
                "`upto` is not a key of a tier; did you mean up_to? The keys are price, per, up_to")),
        BrokenBook(
            "a misspelt key of a feature", " items:", " item:",
            at(
                9, 12, "features.scanner.items",
                "a feature needs this key; write a list of the items that it feeds, like [ basic_analysis ], or [] if it is not metered"
            ),
            at(
                9, 14, "features.scanner.item",
                "`item` is not a key of a feature; did you mean items? The keys are name, items")),
        BrokenBook(
            "a misspelt offer", "resource_package:", "ressource_package:",
            at(
                16, 3, "offers.ressource_package",
                "`ressource_package` is not a key of offers; did you mean resource_package? The keys are mini_program_package, resource_package, subscription"
            )),
        BrokenBook(
            "a misspelt key of devices", "min:", "minimum:",
            at(13, 14, "offers.mini_program_package.devices.min", "devices needs this key; write the smallest size"),
            at(
                13, 16, "offers.mini_program_package.devices.minimum",
                "`minimum` is not a key of devices; did you mean min? The keys are min, max")),
        BrokenBook(
            "a merge key", "devices: { aggregation:", "devices: { <<: {}, aggregation:",
            at(5, 14, "items.devices.<<", "merge keys (<<) are not supported; write the keys of an item out")),
        BrokenBook(
            "a key twice", "items:\n", "book: other\nitems:\n",
            at(4, 1, "book", "this map has the key already, in line 1; remove one of the two")),
        BrokenBook(
            "a key three times", "items:\n", "book: other\nbook: third\nitems:\n",
            at(4, 1, "book", "this map has the key already, in line 1; remove one of the two"),
            at(5, 1, "book", "this map has the key already, in line 1; remove one of the two")),
        BrokenBook(
            "a key twice on a line", "10000", "10000, price: 1, pre: 1",
            at(
                6, 95, "items.calls.tiers[1].price",
                "this map has the key already, in line 6; remove one of the two"),
            at(
                6, 105, "items.calls.tiers[1].pre",
                "`pre` is not a key of a tier; did you mean per? The keys are price, per, up_to")),
        BrokenBook(
            "an item twice", "  calls:",
            "  \"devices\": { aggregation: unique_devices, tiers: [ { price: \"0.03\" } ] }\n  calls:",
            at(6, 3, "items.devices", "this map has the key already, in line 5; remove one of the two")),
        BrokenBook(
            "a list as a key", "  devices: { aggregation:", "  ? [ a ]\n  : { free: true }\n  devices: { aggregation:",
            at(5, 5, "items", "a key can't be a list or a map; write a plain word")),
    ]

    static let tops: [BrokenBook] = [
        BrokenBook(
            "no book", "book: small\neffective:", "effective:",
            at(1, 1, "book", "a price book needs this key; write the book's code, like mpaas")),
        BrokenBook(
            "no code as a book", "small", "\"my book\"",
            at(
                1, 7, "book",
                "`my book` is not a code; a code has 1 to 64 characters out of A-Z a-z 0-9 . _ : @ / - and begins with a letter or a digit"
            )),
        BrokenBook(
            "a book without a value", "book: small", "book:",
            at(1, 6, "book", "the value is missing; write a code")),
        BrokenBook(
            "a map as a book", "small", "{ small: 1 }",
            at(1, 7, "book", "this is a map; write a code")),
        BrokenBook(
            "a day that does not exist", "2026-01-01", "2026-02-29",
            at(
                2, 12, "effective",
                "`2026-02-29` is not a day of the calendar; write a day as YYYY-MM-DD, like 2026-01-01")),
        BrokenBook(
            "a day in another order", "2026-01-01", "01.01.2026",
            at(
                2, 12, "effective",
                "`01.01.2026` is not a day of the calendar; write a day as YYYY-MM-DD, like 2026-01-01")),
        BrokenBook(
            "a day with slashes", "2026-01-01", "2026/1/1",
            at(2, 12, "effective", "`2026/1/1` is not a day of the calendar; write 2026-01-01")),
        BrokenBook(
            "a currency in small letters", "USD", "usd",
            at(3, 11, "currency", "`usd` is not an ISO 4217 currency; write USD")),
        BrokenBook(
            "a currency that does not exist", "USD", "XXX",
            at(3, 11, "currency", "`XXX` is not an ISO 4217 currency; write one that is, like USD")),
        BrokenBook(
            "a currency that was withdrawn", "USD", "ANG",
            at(3, 11, "currency", "`ANG` is no longer an ISO 4217 currency; write XCG, which took the place of ANG")),
        BrokenBook(
            "a currency that was withdrawn, in small letters", "USD", "hrk",
            at(3, 11, "currency", "`hrk` is no longer an ISO 4217 currency; write EUR, which took the place of HRK")),
        BrokenBook(
            "a Kelvin sign in a currency", "USD", "SE\u{212A}",
            at(3, 11, "currency", "`SE\u{212A}` is not an ISO 4217 currency; write one that is, like USD")),
        BrokenBook(
            "a list of items", "items:\n", "items: [ devices ]\nitem:\n",
            at(4, 8, "items", "this is a list; write a map of items, each under its code"),
            at(
                5, 1, "item",
                "`item` is not a key of a price book; did you mean items? The keys are book, effective, currency, items, features, offers"
            )),
        BrokenBook(
            "null as features", "features:\n  scanner: { items: [ devices ] }", "features: ~",
            at(8, 11, "features", "the value is missing; write a map of product features, each under its code")),
    ]
}
