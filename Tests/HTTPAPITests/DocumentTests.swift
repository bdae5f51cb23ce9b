// The OpenAPI document against the answers that it describes.

import LedgerFixture
import Testing

@testable import HTTPAPI

@Suite("The OpenAPI document is true")
struct DocumentTests {
    private func schemas(_ api: APIScene) async throws -> SchemaChecker {
        SchemaChecker(document: try await api.get("/v1/openapi.json").json())
    }

    @Test("Every path of it that is read answers, with every member that its schema has and no other")
    func answers() async throws {
        let fixture = try APIScene.ledger()
        try APIScene.buyPackage(fixture)
        try await APIScene.run(over: fixture) { api in
            let checker = try await schemas(api)
            for resource in ReadResource.all {
                let operation = checker.document["paths"]?[resource.path]?["get"]
                let responses = operation?["responses"]
                let page = try await api.get(resource.path)
                #expect(try !page.items().isEmpty, "\(resource.path)")
                let content = responses?["200"]?["content"]
                let schema = try #require(content?["application/json"]?["schema"])
                #expect(checker.faults(try page.json(), schema) == [], "\(resource.path)")
                let short = try await api.get("\(resource.path)?limit=1")
                #expect(checker.faults(try short.json(), schema) == [], "\(resource.path)")

                let inText = try await api.get("\(resource.path)?numbers=text")
                let textSchema = try #require(content?[inText.type]?["schema"])
                #expect(checker.faults(try inText.json(), textSchema) == [], "\(resource.path)")

                let wrong = try await api.get("\(resource.path)?limit=0")
                let problem = try #require(
                    checker.resolved(responses?["400"])["content"]?["application/problem+json"]?["schema"])
                #expect(checker.faults(try wrong.json(), problem) == [], "\(resource.path)")
            }
        }
    }

    @Test("Its parameters are those that are understood")
    func parameters() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let checker = try await schemas(api)
            for resource in ReadResource.all {
                let parameters = checker.document["paths"]?[resource.path]?["get"]?["parameters"]?.elements ?? []
                let names = parameters.compactMap { checker.resolved($0)["name"]?.description }
                #expect(names == resource.filters.map(\.name) + ["limit", "cursor", "numbers"])
                let unknown = try await api.get("\(resource.path)?zzzzzzzz=1").problem()
                #expect(unknown.hasSuffix("it takes \(names.joined(separator: ", "))"))
            }
        }
    }

    @Test("It says that days may be words, and those are taken")
    func days() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let checker = try await schemas(api)
            let parameters = checker.document["paths"]?["/v1/bills"]?["get"]?["parameters"]?.elements ?? []
            let from = try #require(parameters.first { $0["name"] == .string("from") })
            let forms = try #require(from["schema"]?["anyOf"]?.elements)
            #expect(forms.first?["format"] == .string("date"))
            let words = try #require(forms.last?["enum"]?.elements)
            #expect(words == [.string("today"), .string("yesterday")])
            for word in words {
                guard case .string(let text) = word else { continue }
                #expect(try await api.get("/v1/bills?from=\(text)").status == 200)
            }
        }
    }

    @Test("Every reference in it leads somewhere, every operation has a name of its own")
    func references() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let checker = try await schemas(api)
            func check(_ value: JSON) {
                if value["$ref"] != nil { #expect(!checker.resolved(value).members.isEmpty, "\(value)") }
                for member in value.members.values { check(member) }
                for element in value.elements { check(element) }
            }
            check(checker.document)
            let paths = try #require(checker.document["paths"]).members
            let operations = paths.values.flatMap { $0.members.values }.compactMap { $0["operationId"]?.description }
            #expect(operations.count == 14)
            #expect(Set(operations).count == operations.count)
            #expect(Set(paths.keys) == Set(OpenAPIDocument.methods.keys))
        }
    }

    @Test("The checker notices what is wrong")
    func checker() async throws {
        try await APIScene.run(over: try APIScene.ledger()) { api in
            let checker = try await schemas(api)
            let row = try #require(checker.document["components"]?["schemas"]?["Bill"])
            let bill = try #require(try await api.get("/v1/bills").items().first)
            func with(_ name: String, _ value: JSON?) -> JSON {
                var members = bill.members
                members[name] = value
                return .object(members)
            }
            let faults: [(JSON, [String])] = [
                (bill, []),
                (with("due_day", .null), []),
                (with("tenant", .null), [".tenant is no string"]),
                (with("amount_micros", .string("1")), [".amount_micros is no integer"]),
                (with("amount_micros", nil), [".amount_micros is missing"]),
                (with("amount", .integer(1)), [".amount is not in the schema"]),
                (with("status", .string("paid")), [".status is no word of the enum"]),
                (with("day", .string("2027-02-30")), [".day is no date"]),
            ]
            for (value, expected) in faults { #expect(checker.faults(value, row) == expected) }
        }
    }
}
