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
    func print(_ output: FormatOptions, empty: String) {
        switch output.format {
        case .text: rows.isEmpty ? Terminal.print(empty) : printTable()
        case .json: Terminal.print(json(output.numbers))
        case .csv: printCSV()
        }
    }

    // MARK: Tables

    private static let amountEnding = "_micros"

    /// Amounts are decimals where people or a spreadsheet read them: `amount_micros` 45030000 stands as `amount` 45.03.
    private var decimalColumns: [String] {
        columns.map { $0.hasSuffix(Self.amountEnding) ? String($0.dropLast(Self.amountEnding.count)) : $0 }
    }

    private func decimalCells(_ cell: (DatabaseValue) -> String) -> [[String]] {
        let isAmount = columns.map { $0.hasSuffix(Self.amountEnding) }
        return rows.map { row in
            zip(row, isAmount).map { value, isAmount in
                if isAmount, case .int64(let micros) = value.storage { return Money(micros: micros).description }
                return cell(value)
            }
        }
    }

    func printTable() {
        let columns = decimalColumns
        let cells = decimalCells { Self.text($0).fitToShow }
        let widths = columns.indices.map { column in
            cells.reduce(columns[column].displayWidth) { max($0, $1[column].displayWidth) }
        }
        let isNumber = columns.indices.map { column in
            rows.allSatisfy { if case .int64 = $0[column].storage { true } else { $0[column].isNull } }
        }
        func line(_ cells: [String]) -> String {
            cells.enumerated()
                .map { index, cell in cell.padded(to: widths[index], onTheLeft: isNumber[index]) }
                .joined(separator: "  ").trimmingTrailingSpaces
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

    // MARK: JSON

    /// An array of objects, the columns in their order.
    func json(_ numbers: NumberForm) -> String {
        let objects = rows.map { row in
            let members = zip(columns, row).map { "\(JSONText.quoted($0)):\(Self.json($1, numbers))" }
            return "{\(members.joined(separator: ","))}"
        }
        return objects.isEmpty ? "[]" : "[\n\(objects.joined(separator: ",\n"))\n]"
    }

    private static func json(_ value: DatabaseValue, _ numbers: NumberForm) -> String {
        switch value.storage {
        case .null: "null"
        case .int64(let number): numbers.json(number)
        default: JSONText.quoted(text(value))
        }
    }

    // MARK: CSV

    func printCSV() {
        let lines = decimalCells(Self.csv).map { $0.joined(separator: ",") }
        Terminal.print(([decimalColumns.joined(separator: ",")] + lines).joined(separator: "\n"))
    }

    /// RFC 4180. A text that a spreadsheet would run as a formula gets an apostrophe before it.
    private static func csv(_ value: DatabaseValue) -> String {
        var text = text(value)
        switch value.storage {
        case .null, .int64, .double: return text
        case .string, .blob: break
        }
        if let first = text.unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) { text = "'" + text }
        text = text.fitToShow
        guard text.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }) else { return text }
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
