// Rows of a query as an aligned table, as JSON, or as CSV.

import EventCodec
import Foundation
import GRDB
import Quantities

/// Rows under their column names; values are numbers, texts or nothing.
struct RowPrinter {
    private let columns: [String]
    private let rows: [[DatabaseValue]]

    init(columns: [String], rows: [[DatabaseValue]]) {
        self.columns = columns
        self.rows = rows
    }

    /// - Parameter rows: all of one query; `columns` are named for the case that there are none.
    init(columns: [String], _ rows: [Row]) {
        self.init(columns: columns, rows: rows.map { row in columns.map { row[$0] as DatabaseValue } })
    }

    /// - Parameter empty: what a person reads when there are no rows.
    func print(_ format: OutputFormat, empty: String) {
        switch format {
        case .text: rows.isEmpty ? Terminal.print(empty) : printTable()
        case .json: Terminal.print(json)
        case .csv: printCSV()
        }
    }

    /// Amounts are for people here: `amount_micros` 45030000 stands as `amount` 45.03.
    private func printTable() {
        let isAmount = self.columns.map { $0.hasSuffix("_micros") }
        let columns = self.columns.map { $0.hasSuffix("_micros") ? String($0.dropLast(7)) : $0 }
        let cells = rows.map { row in
            zip(row, isAmount).map { value, isAmount in
                if isAmount, case .int64(let micros) = value.storage { return Money(micros: micros).description }
                return Self.text(value)
            }
        }
        let widths = columns.indices.map { column in
            cells.reduce(columns[column].count) { max($0, $1[column].count) }
        }
        let isNumber = columns.indices.map { column in
            rows.allSatisfy { if case .int64 = $0[column].storage { true } else { $0[column].isNull } }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                return isNumber[index] ? padding + cell : cell + padding
            }
            return padded.joined(separator: "  ").trimmingTrailingSpaces
        }
        Terminal.print(([columns] + cells).map(line).joined(separator: "\n"))
    }

    private static func text(_ value: DatabaseValue) -> String {
        switch value.storage {
        case .null: ""
        case .int64(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): text
        case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }

    /// An array of objects, the columns in their order.
    var json: String {
        let objects = rows.map { row in
            let members = zip(columns, row).map { "\(JSONText.quoted($0)):\(Self.json($1))" }
            return "{\(members.joined(separator: ","))}"
        }
        return objects.isEmpty ? "[]" : "[\n\(objects.joined(separator: ",\n"))\n]"
    }

    private static func json(_ value: DatabaseValue) -> String {
        switch value.storage {
        case .null: "null"
        case .int64(let number): String(number)
        default: JSONText.quoted(text(value))
        }
    }

    private func printCSV() {
        let lines = rows.map { $0.map(Self.csv).joined(separator: ",") }
        Terminal.print(([columns.joined(separator: ",")] + lines).joined(separator: "\n"))
    }

    /// RFC 4180. A text that a spreadsheet would run as a formula gets an apostrophe before it.
    private static func csv(_ value: DatabaseValue) -> String {
        guard case .string(var text) = value.storage else { return text(value) }
        if let first = text.first, "=+-@\t\r".contains(first) { text = "'" + text }
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\""
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
