// Reads a file, the environment and options into settings, and gathers what is wrong in them.

import Foundation
import MarkedYAML
import Quantities

struct SettingsReader {
    private(set) var settings = Settings()
    private(set) var problems: [SettingsProblem] = []
    /// Where each value that is no default was read.
    private var places: [String: String] = [:]
    /// The keys with a value that can't be read, in the file or the environment.
    private var unreadable: Set<String> = []

    /// - Parameter variable: The variable that names the file, for messages.
    mutating func readFile(_ path: String, namedBy variable: String? = nil, mayBeAbsent: Bool = false) {
        do {
            let data = try YAMLFile.bytes(at: path)
            guard let yaml = String(data: data, encoding: .utf8) else {
                problems.append(SettingsProblem(path, "the file is not UTF-8 text; save it as UTF-8"))
                return
            }
            try read(YAMLDocument(yaml, noun: "configuration"), of: path)
        } catch let found as MarkedProblems {
            report(found, of: path)
        } catch YAMLFileError.absent {
            guard !mayBeAbsent else { return }
            let advice = variable.map { "correct or unset \($0)" } ?? "check the path given with --config"
            problems.append(SettingsProblem(path, "there is no such file; \(advice)"))
        } catch YAMLFileError.unreadable(let reason) {
            problems.append(SettingsProblem(path, "the configuration can't be read: \(reason)"))
        } catch {
            problems.append(SettingsProblem(path, "the configuration can't be read: \(error)"))
        }
    }

    private mutating func read(_ document: YAMLDocument, of path: String) throws(MarkedProblems) {
        guard let root = document.root else { return }
        var reader = FieldReader(document)
        let record = reader.record(root, "the configuration", keys: Setting.all.map(\.key))
        for setting in Setting.all {
            guard let field = record?[setting.key] else { continue }
            guard let text = reader.text(field, expecting: setting.hint) else {
                unreadable.insert(setting.key)
                continue
            }
            let place = document.place(of: field)
            if let objection = read(text, of: setting, at: "\(path):\(place.line):\(place.column): \(setting.key)") {
                reader.report(field, objection)
            }
        }
        guard reader.problems.isEmpty else { throw MarkedProblems(reader.problems) }
    }

    private mutating func report(_ found: MarkedProblems, of path: String) {
        problems += found.problems.map { problem in
            let field = problem.field.isEmpty ? "" : ": \(problem.field)"
            return SettingsProblem("\(path):\(problem.line):\(problem.column)\(field)", problem.message)
        }
    }

    mutating func readVariables(_ environment: [String: String]) {
        for setting in Setting.all {
            guard let text = environment[setting.variable], !text.isEmpty else { continue }
            if let objection = read(text, of: setting, at: setting.variable) {
                problems.append(SettingsProblem(setting.variable, objection))
            }
        }
        let prefix = "METERD_"
        let known = Setting.all.map(\.variable) + ["METERD_CONFIG"]
        let names = known.map { String($0.dropFirst(prefix.count)) }
        for variable in environment.keys.sorted() where variable.hasPrefix(prefix) && !known.contains(variable) {
            // Others are somebody's own.
            guard let meant = nearest(to: String(variable.dropFirst(prefix.count)), of: names) else { continue }
            problems.append(SettingsProblem(variable, "there is no such setting; did you mean \(prefix)\(meant)?"))
        }
    }

    mutating func readOptions(_ options: [String: (name: String, text: String)]) {
        for setting in Setting.all {
            guard let option = options[setting.key] else { continue }
            if let objection = read(option.text, of: setting, at: option.name) {
                problems.append(SettingsProblem(option.name, objection))
            }
        }
    }

    /// What is wrong with the text, if it is no value of the setting.
    private mutating func read(_ text: String, of setting: Setting, at place: String) -> String? {
        do {
            try setting.read(text, &settings)
            places[setting.key] = place
            return nil
        } catch {
            unreadable.insert(setting.key)
            return error.message
        }
    }

    /// Anybody who reaches the address may write to the ledger, so an address that other machines reach needs a proxy.
    mutating func checkAddress() {
        guard !settings.listen.isLocal, !settings.behindProxy, !unreadable.contains("behind_proxy"),
            let place = places["listen"]
        else { return }
        problems.append(
            SettingsProblem(
                place,
                "\(shown(settings.listen.description)) can be reached from other machines; listen on 127.0.0.1, [::1], "
                    + "localhost or unix:/PATH. If a proxy in front does TLS and access control, set behind_proxy "
                    + "(METERD_BEHIND_PROXY) to true"))
    }
}
