// The table of all settings, and the documented example file that is printed from it.

/// One key of the configuration.
struct Setting: Sendable {
    let key: String
    let variable: String
    /// What it means, in lines of the example file.
    let meaning: String
    /// What may be written.
    let hint: String
    /// The default as it stands in the file.
    let standard: String
    let read: @Sendable (String, inout Settings) throws(Misfit) -> Void

    private init<Value>(
        _ key: String, variable: String? = nil, _ value: any WritableKeyPath<Settings, Value> & Sendable,
        _ form: Form<Value>, _ meaning: String
    ) {
        self.key = key
        self.variable = variable ?? "METERD_\(key.uppercased())"
        self.meaning = meaning
        hint = form.hint
        standard = form.written(Settings()[keyPath: value])
        read = { (text, settings) throws(Misfit) in settings[keyPath: value] = try form.read(text) }
    }

    static let all = [
        Setting(
            "database", variable: "METERD_DB", \.database, .path,
            """
            The ledger's file, made by `meterd init`. A relative path begins at the working directory.
            """),
        Setting(
            "listen", \.listen, .address,
            """
            The address for events and queries. Port 0 takes any free port.
            Anybody who reaches this address may use it, so it must be one of this machine (127.0.0.0/8, ::1, localhost, a
            Unix socket) unless behind_proxy is true.
            """),
        Setting(
            "behind_proxy", \.behindProxy, .flag,
            """
            True means that a proxy in front does TLS and access control. The daemon may then listen on any address.
            """),
        Setting(
            "rate_at", \.rateAt, .timeOrOff,
            """
            The time of day, in the ledger's time zone, at which the day before is rated. Write off if a timer runs
            `meterd rate` instead.
            """),
        Setting(
            "max_body_bytes", \.maxBodyBytes, .size(1 << 10...1 << 30),
            """
            The largest request body, as it is sent; never more than max_queue_bytes.
            """),
        Setting(
            "max_expanded_bytes", \.maxExpandedBytes, .size(1 << 10...4 << 30),
            """
            The largest gzipped request body, once it is expanded; never more than max_queue_bytes.
            """),
        Setting(
            "max_queue_bytes", \.maxQueueBytes, .size(1 << 20...16 << 30),
            """
            How many bytes of events may be in memory, arriving, waiting for the writer, or in answers that their
            clients have not read. A request beyond that is answered 503 with Retry-After, and nothing of it is stored.
            Unread pages may take a quarter of it. Scanned events and their answers weigh more than their text: whatever
            is sent, the daemon's memory grows by at most four times this and 100 MiB, and 0.2 MiB for each connection.
            """),
        Setting(
            "max_queue_requests", \.maxQueueRequests, .count(1...1_000_000),
            """
            How many requests may wait for the writer. Further ones are answered 503 with Retry-After.
            """),
        Setting(
            "max_connections", \.maxConnections, .count(1...100_000),
            """
            How many connections may be open at a time. Further ones wait until one of them ends.
            """),
        Setting(
            "max_wal_bytes", \.maxWALBytes, .size(32 << 20...1 << 40),
            """
            How large the write-ahead log beside the ledger may become. It takes some 16 MiB, unless another program holds
            a read transaction on the ledger: then it grows with everything that is stored. Each quarter of this is logged
            as a warning. Beyond it nothing is stored (503 with Retry-After) until that program ends its transaction.
            """),
        Setting(
            "request_timeout_seconds", \.requestTimeoutSeconds, .count(1...3600, unit: "seconds"),
            """
            How many seconds the body of a request may take to arrive, a client may take to read an answer (of a longer
            one, each MiB), and a connection may be idle. After that the connection is closed.
            """),
        Setting(
            "log_level", \.logLevel, .level,
            """
            The least severe level that is logged.
            """),
    ]
}

extension Settings {
    /// A configuration with every setting, what it means and its default.
    package static var example: String {
        let head = """
            # The configuration of meterd: every setting, with its default.
            #
            # It is read from the file that the command line or METERD_CONFIG names, otherwise from
            # \(standardFile) if that exists. A key that is left out has its default. The environment variable
            # named with each key overrides the file.

            """
        return Setting.all.reduce(head) { text, setting in
            let comment = "\(setting.meaning)\nWrite \(setting.hint).\n\(setting.variable)"
            let lines = comment.split(separator: "\n").map { "# \($0)\n" }
            return "\(text)\n\(lines.joined())\(setting.key): \(setting.standard)\n"
        }
    }
}
