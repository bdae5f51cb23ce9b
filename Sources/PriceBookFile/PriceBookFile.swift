// The file format of price books: YAML that people write, review and diff, and the values that it stands for.

package import MarkedYAML
package import Rating

package typealias PriceBookProblem = MarkedProblem
package typealias PriceBookProblems = MarkedProblems

package enum PriceBookFile {
    /// Reads one book. Collects the problems of a file rather than stopping at the first; a file that is no YAML has
    /// one, the place where reading stopped.
    ///
    /// - Parameters:
    ///   - yaml: at most 1 MiB. JSON is YAML.
    ///   - recordedCurrency: the code of the currency that the ledger has, which may have been withdrawn since.
    /// - Throws: `MarkedProblems`.
    package static func read(
        _ yaml: String, recordedCurrency: String? = nil
    ) throws(MarkedProblems) -> PriceBook {
        let document = try YAMLDocument(yaml, noun: "price book")
        guard let root = document.root else {
            let message = "the file is empty; a price book begins with book, effective, currency and items"
            throw MarkedProblems([MarkedProblem(line: 1, column: 1, field: "", message: message)])
        }
        var reader = FieldReader(document)
        let book = reader.book(root, recordedCurrency: recordedCurrency)
        guard let book, reader.problems.isEmpty else { throw MarkedProblems(reader.problems) }
        return book
    }

    /// The book as YAML in a layout that people can read: items, features and quotas by code.
    ///
    /// ``read(_:)`` reads it to an equal value if the book is one that it could have read.
    package static func write(_ book: PriceBook) -> String {
        PriceBookLayout.text(of: book)
    }
}
