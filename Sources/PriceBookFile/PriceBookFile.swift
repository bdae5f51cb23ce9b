// The file format of price books: YAML that people write, review and diff, and the values that it stands for.

package import Rating

package enum PriceBookFile {
    /// Reads one book. Collects the problems of a file rather than stopping at the first; a file that is no YAML has
    /// one, the place where reading stopped.
    ///
    /// - Parameter yaml: at most 1 MiB. JSON is YAML.
    /// - Throws: ``PriceBookProblems``.
    package static func read(_ yaml: String) throws(PriceBookProblems) -> PriceBook {
        let document = try YAMLDocument(yaml)
        var reader = FieldReader(document)
        let book = reader.book(Field(path: "", node: document.root))
        guard let book, reader.problems.isEmpty else { throw PriceBookProblems(reader.problems) }
        return book
    }

    /// The book as YAML in a layout that people can read: items, features and quotas by code.
    ///
    /// ``read(_:)`` reads it to an equal value if the book is one that it could have read.
    package static func write(_ book: PriceBook) -> String {
        PriceBookLayout.text(of: book)
    }
}
