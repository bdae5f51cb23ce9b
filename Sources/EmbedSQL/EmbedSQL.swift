// The build tool that turns the .sql files of Migrations/ into Swift source, so that the binary carries its schema.
// Arguments: the output file, then the .sql files.

import Foundation

@main
enum EmbedSQL {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let output = arguments.first else {
            throw CocoaError(.fileNoSuchFile)
        }
        let paths = arguments.dropFirst().sorted {
            ($0 as NSString).lastPathComponent < ($1 as NSString).lastPathComponent
        }
        var source = "// Generated from the .sql files of Migrations/ by the build; do not edit.\n\n"
        source += "let embeddedMigrations: [Migration] = [\n"
        for path in paths {
            let sql = try String(contentsOfFile: path, encoding: .utf8)
            let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
            source += "    Migration(name: \(literal(name)), sql: \(literal(sql))),\n"
        }
        source += "]\n"
        try source.write(toFile: output, atomically: true, encoding: .utf8)
    }

    /// A raw Swift string literal with more number signs than any run of them in the text.
    static func literal(_ text: String) -> String {
        let signs = String(repeating: "#", count: 4)
        precondition(!text.contains("\"" + signs), "the text ends a raw literal")
        return "\(signs)\"\"\"\n\(text)\n\"\"\"\(signs)"
    }
}
