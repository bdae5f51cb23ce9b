// Mistakes in features and offers, with the problems that they give.

extension BrokenBook {
    static let features: [BrokenBook] = [
        BrokenBook(
            "no items", "items: [ devices ]", "name: Scanner",
            at(
                9, 12, "features.scanner.items",
                "a feature needs this key; write a list of the items that it feeds, like [ basic_analysis ], or [] if it is not metered"
            )),
        BrokenBook(
            "a feature whose code differs from an item's only in capital letters", "  scanner:", "  Devices:",
            at(
                9, 3, "features.Devices",
                "Devices differs from item devices only in capital letters; write devices, or choose another code")),
        BrokenBook(
            "a licence whose code differs from an item's only in capital letters", "[ kernel ]", "[ CALLS ]",
            at(
                15, 17, "offers.mini_program_package.licences[0]",
                "CALLS differs from item calls only in capital letters; write calls, or choose another code")),
        BrokenBook(
            "a licence whose code differs from a feature's only in capital letters", "[ kernel ]", "[ Scanner ]",
            at(
                15, 17, "offers.mini_program_package.licences[0]",
                "Scanner differs from feature scanner only in capital letters; write scanner, or choose another code")),
        BrokenBook(
            "an unknown item", "[ devices", "[ device",
            at(9, 23, "features.scanner.items[0]", "the book has no item device; did you mean devices?")),
        BrokenBook(
            "an item that resembles none", "[ devices", "[ messages",
            at(9, 23, "features.scanner.items[0]", "the book has no item messages; add it under items")),
        BrokenBook(
            "an item twice", "[ devices", "[ devices, devices",
            at(9, 32, "features.scanner.items[1]", "the list has devices already; remove one of the two")),
        BrokenBook(
            "one item instead of a list", "[ devices ]", "devices",
            at(
                9, 21, "features.scanner.items",
                "`devices` is a single value; write a list of the items that it feeds, like [ basic_analysis ], or [] if it is not metered"
            )),
        BrokenBook(
            "a map in the list", "[ devices", "[ { devices: 1 }",
            at(9, 23, "features.scanner.items[0]", "this is a map; write a code")),
    ]

    static let offers: [BrokenBook] = [
        BrokenBook(
            "an unknown term", "  term: year", "  term: week",
            at(12, 11, "offers.mini_program_package.term", "`week` is unknown; write month or year")),
        BrokenBook(
            "no term", " term: year ", "",
            at(16, 21, "offers.resource_package.term", "a resource package offer needs this key; write month or year")),
        BrokenBook(
            "no devices", "devices: { min: 10, max: 100 }\n    monthly:", "monthly:",
            at(
                12, 5, "offers.mini_program_package.devices",
                "a package offer needs this key; write the sizes on sale, like { min: 10000, max: 100000 }")),
        BrokenBook(
            "no largest size", "10, max: 100", "10",
            at(13, 14, "offers.mini_program_package.devices.max", "devices needs this key; write the largest size")),
        BrokenBook(
            "sizes the wrong way round", "10, max: 100", "100, max: 10",
            at(
                13, 31, "offers.mini_program_package.devices.max",
                "10 is below min, 100; write the larger number as max")),
        BrokenBook(
            "a smallest size of zero", "10, max: 100", "0, max: 10",
            at(
                13, 21, "offers.mini_program_package.devices.min",
                "`0` does not fit here; write a whole number from 1 to 1000000000000, digits only")),
        BrokenBook(
            "a largest size beyond a trillion", "10, max: 100", "1, max: 1000000000001",
            at(
                13, 29, "offers.mini_program_package.devices.max",
                "`1000000000001` does not fit here; write a whole number from 1 to 1000000000000, digits only")),
        BrokenBook(
            "nothing granted", " devices: devices, calls: 2000 ", "",
            at(
                14, 14, "offers.mini_program_package.monthly",
                "the map is empty; write a map from items to devices or a number, like { gateway_calls: 20000000 }")),
        BrokenBook(
            "an unknown item granted", "devices, calls:", "devices, cals:",
            at(14, 40, "offers.mini_program_package.monthly.cals", "the book has no item cals; did you mean calls?")),
        BrokenBook(
            "devices of a sum item", "2000", "devices",
            at(
                14, 41, "offers.mini_program_package.monthly.calls",
                "calls counts no devices, its aggregation is sum; write a whole number")),
        BrokenBook(
            "a quota that is no number", "2000", "2k",
            at(
                14, 41, "offers.mini_program_package.monthly.calls",
                "`2k` does not fit here; write 2000, digits only")),
        BrokenBook(
            "a quota with commas", "2000", "2,000,000",
            at(
                14, 41, "offers.mini_program_package.monthly.calls",
                "`2,000,000` does not fit here; write 2000000, digits only")),
        BrokenBook(
            "a quota with equal parts between its commas", "2000", "20,000,000",
            at(
                14, 41, "offers.mini_program_package.monthly.calls",
                "`20,000,000` does not fit here; write 20000000, digits only")),
        BrokenBook(
            "a quota that is a word", "2000", "plenty",
            at(
                14, 41, "offers.mini_program_package.monthly.calls",
                "`plenty` does not fit here; write devices or a whole number from 1 to 1000000000000000, digits only")),
        BrokenBook(
            "an item in capital letters", "devices, calls:", "devices, Calls:",
            at(14, 41, "offers.mini_program_package.monthly.Calls", "the book has no item Calls; did you mean calls?")),
        BrokenBook(
            "a quota beyond the limit", "2000", "1000000000000001",
            at(
                14, 41, "offers.mini_program_package.monthly.calls",
                "`1000000000000001` does not fit here; write devices or a whole number from 1 to 1000000000000000, digits only"
            )),
        BrokenBook(
            "no code as a licence", "kernel", "my kernel",
            at(
                15, 17, "offers.mini_program_package.licences[0]",
                "`my kernel` is not a code; a code has 1 to 64 characters out of A-Z a-z 0-9 . _ : @ / - and begins with a letter or a digit"
            )),
        BrokenBook(
            "a licence twice", "kernel", "kernel, kernel",
            at(15, 25, "offers.mini_program_package.licences[1]", "the list has kernel already; remove one of the two")),
        BrokenBook(
            "no terms", " month, year ", "",
            at(17, 26, "offers.subscription.terms", "the list is empty; write a list of terms, like [ month, year ]")),
        BrokenBook(
            "a term twice", "[ month", "[ year",
            at(17, 34, "offers.subscription.terms[1]", "the list has year already; remove one of the two")),
        BrokenBook(
            "an unknown term in a list", "month, year", "month, years",
            at(17, 35, "offers.subscription.terms[1]", "`years` is unknown; did you mean year? Write month or year")),
    ]
}
