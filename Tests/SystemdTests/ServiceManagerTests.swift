// What a service manager receives, at a real socket, and what happens without one.

import BuiltProgram
import Foundation
import Logging
import Systemd
import Testing

@Suite("The service manager")
struct ServiceManagerTests {
    @Test("Each notification is one datagram", arguments: NotifySocket.Place.allCases)
    func notifications(_ place: NotifySocket.Place) throws {
        let socket = try NotifySocket(place)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": socket.name])
        #expect(manager.isPresent)
        #expect(manager.ready(status: "serving on 127.0.0.1:8620"))
        #expect(manager.status("rated 2027-01-09"))
        #expect(manager.watchdog())
        #expect(manager.stopping())
        #expect(
            socket.received() == [
                "READY=1\nSTATUS=serving on 127.0.0.1:8620", "STATUS=rated 2027-01-09", "WATCHDOG=1", "STOPPING=1",
            ])
    }

    @Test("A status cannot smuggle in another assignment")
    func statusIsOneLine() throws {
        let socket = try NotifySocket(.path)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": socket.name])
        #expect(manager.status("rated\nERRNO=5\r\nMAINPID=1"))
        #expect(manager.ready(status: "10 é\u{0}\n"))
        #expect(socket.received() == [#"STATUS=rated\nERRNO=5\r\nMAINPID=1"#, "READY=1\n" + #"STATUS=10 é\u{0}\n"#])
    }

    @Test("Without a service manager nothing is sent, and nobody is told", arguments: [[:], ["NOTIFY_SOCKET": ""]])
    func absent(_ environment: [String: String]) {
        let log = LogFile()
        let manager = ServiceManager(
            environment: environment.merging(["WATCHDOG_USEC": "30000000"]) { $1 }, logger: log.logger)
        #expect(!manager.isPresent)
        #expect(manager.watchdogInterval == nil)
        #expect(!manager.ready(status: "serving"))
        #expect(!manager.watchdog())
        #expect(log.text == "")
    }

    @Test(
        "A service manager that cannot be reached is named once in the log",
        arguments: [
            ("/nowhere/notify", "\"No such file or directory\""), ("@meterd-test-nobody", "\"Connection refused\""),
            ("vsock:2:1234", "\"neither a path nor an abstract name\""),
            ("/" + String(repeating: "x", count: 107), "\"the name is too long\""),
        ])
    func unreachable(_ name: String, _ reason: String) {
        let log = LogFile()
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name], logger: log.logger)
        #expect(!manager.ready(status: "serving"))
        #expect(!manager.watchdog())
        #expect(!manager.stopping())
        #expect(
            log.text == "<4>the service manager cannot be notified; going on without reason=\(reason) socket=\(name)\n")
    }

    @Test("A service manager that does not listen holds nobody up for long")
    func overflow() throws {
        let socket = try NotifySocket(.path)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": socket.name])
        var sent = 0
        while sent < 100_000, manager.watchdog() { sent += 1 }
        #expect(sent > 0 && sent < 100_000)
        #expect(socket.received().count == sent)
        #expect(manager.watchdog())
    }

    @Test(
        "The watchdog is fed twice as often as it asks",
        arguments: [
            (["WATCHDOG_USEC": "30000000"], Duration.seconds(15)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"], .seconds(15)),
            (["WATCHDOG_USEC": "3"], .microseconds(1)),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"], nil),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "me"], nil),
            ([:], nil), (["WATCHDOG_USEC": ""], nil), (["WATCHDOG_USEC": "soon"], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "-5"], nil), (["WATCHDOG_USEC": "18446744073709551615"], nil),
        ] as [([String: String], Duration?)])
    func watchdog(_ environment: [String: String], _ interval: Duration?) {
        let manager = ServiceManager(environment: environment.merging(["NOTIFY_SOCKET": "@meterd-test"]) { $1 })
        #expect(manager.watchdogInterval == interval)
    }
}
