// Every mistake in a book is told with its place, its field, the value and the way out.

import MarkedYAML
import PriceBookFile
import Testing

/// A small book with one stretch of its text put in the place of another, and all that is then wrong.
struct BrokenBook: Sendable, CustomTestStringConvertible {
    let title: String
    let old: String
    let new: String
    let problems: [PriceBookProblem]

    init(_ title: String, _ old: String, _ new: String, _ problems: PriceBookProblem...) {
        self.title = title
        self.old = old
        self.new = new
        self.problems = problems
    }

    var testDescription: String { title }

    static let small = """
        book: small
        effective: 2026-01-01
        currency: USD
        items:
          devices: { aggregation: unique_devices, tiers: [ { price: "0.03" } ] }
          calls: { aggregation: sum, tiers: [ { up_to: 10, price: "0" }, { price: "0.15", per: 10000 } ] }
          old: { aggregation: sum, legacy: true, replaced_by: [ calls ] }
        features:
          scanner: { items: [ devices ] }
        offers:
          mini_program_package:
            term: year
            devices: { min: 10, max: 100 }
            monthly: { devices: devices, calls: 2000 }
            licences: [ kernel ]
          resource_package: { term: year }
          subscription: { terms: [ month, year ] }

        """
}

func at(_ line: Int, _ column: Int, _ field: String, _ message: String) -> PriceBookProblem {
    PriceBookProblem(line: line, column: column, field: field, message: message)
}

func problems(of yaml: String) -> [PriceBookProblem] {
    do throws(PriceBookProblems) {
        _ = try PriceBookFile.read(yaml)
        return []
    } catch {
        return error.problems
    }
}

@Suite("A broken price book")
struct BrokenBookTests {
    static let table = [
        BrokenBook.files, BrokenBook.keys, BrokenBook.tops, BrokenBook.items, BrokenBook.tiers, BrokenBook.features,
        BrokenBook.offers,
    ].flatMap(\.self)

    @Test("the book that the tables break is sound")
    func soundBook() {
        #expect(problems(of: BrokenBook.small) == [])
    }

    @Test("is refused with exactly these problems", arguments: table)
    func refusal(of book: BrokenBook) throws {
        let pieces = BrokenBook.small.split(separator: book.old, omittingEmptySubsequences: false)
        try #require(pieces.count == 2, "the text to replace stands in the book once")
        #expect(problems(of: pieces.joined(separator: book.new)) == book.problems)
    }

    @Test("is refused when it is no map at all")
    func otherFiles() {
        let table: [(yaml: String, problems: [PriceBookProblem])] = [
            (
                "- small\n",
                [
                    at(
                        1, 1, "",
                        "this is a list; write a map with the keys of a price book: book, effective, currency, items, features, offers"
                    )
                ]
            ),
            (
                "small\n",
                [
                    at(
                        1, 1, "",
                        "`small` is a single value; write a map with the keys of a price book: book, effective, currency, items, features, offers"
                    )
                ]
            ),
            ("", [at(1, 1, "", "the file is empty; a price book begins with book, effective, currency and items")]),
            (
                "# a price book\n\n",
                [at(1, 1, "", "the file is empty; a price book begins with book, effective, currency and items")]
            ),
            (
                "---\n...\n",
                [at(1, 1, "", "the file is empty; a price book begins with book, effective, currency and items")]
            ),
            (
                "{}",
                [
                    at(1, 1, "book", "a price book needs this key; write the book's code, like mpaas"),
                    at(
                        1, 1, "effective",
                        "a price book needs this key; write the first day that it prices, like 2026-01-01"),
                    at(1, 1, "currency", "a price book needs this key; write an ISO 4217 code, like USD"),
                    at(1, 1, "items", "a price book needs this key; write the items, each under its code"),
                ]
            ),
        ]
        for (yaml, expected) in table { #expect(problems(of: yaml) == expected, "\(yaml.debugDescription)") }
    }

    @Test("is refused beyond 1 MiB, and read up to it")
    func size() {
        let filler = 1_048_576 - BrokenBook.small.utf8.count - 1
        let full = BrokenBook.small + "#" + String(repeating: "x", count: filler)
        #expect(problems(of: full) == [])
        #expect(
            problems(of: full + "x") == [
                at(1, 1, "", "the file has 1048577 bytes; a price book has at most 1048576 (1 MiB)")
            ])
    }

    @Test("nested beyond reason is refused, not fatal", arguments: ["[", "- ", "{a: ", "? "])
    func nesting(opening: String) {
        #expect(problems(of: String(repeating: opening, count: 100_000)).count == 1)
    }

    @Test("tells all its problems, in the order of the file")
    func order() {
        let yaml = BrokenBook.small.replacing("book: small", with: "book: -x").replacing("max: 100", with: "max: 1")
            .replacing("2026-01-01", with: "soon")
        #expect(
            problems(of: yaml).map { "\($0.line) \($0.field)" } == [
                "1 book", "2 effective", "13 offers.mini_program_package.devices.max",
            ])
    }

    @Test("with keys in it more often than can be told apart is refused at the first that is left")
    func manyDuplicates() {
        let yaml = "book: small\n" + String(repeating: "book: again\n", count: 30)
        #expect(problems(of: yaml) == [at(21, 1, "", "this key stands in its map more than once; keep one")])
    }

    @Test("describes a problem by its line, column and field")
    func description() {
        #expect(
            at(12, 7, "items.calls.tiers[1].up_to", "too low").description
                == "line 12, column 7: items.calls.tiers[1].up_to: too low")
        #expect(at(1, 1, "", "the file is empty").description == "line 1, column 1: the file is empty")
    }
}
