// Which instants of a machine's clock are believed: the rule as a table, on clocks that a test sets.

import LedgerStore
import Quantities
import Synchronization
import Testing

@Suite("A machine's clock (Billing rules, section 4)")
struct MachineClockTests {
    private static let day: Int64 = 86_400_000_000
    private static let hour: Int64 = 3_600_000_000
    private static let start = Instant(micros: 20_000 * day)

    private final class Machine: Sendable {
        struct State {
            var wall = start.micros
            var sinceBoot: Int64 = 5 * day
            var kernel = MachineClock.Kernel.unsynchronized
        }

        let state = Mutex(State())

        func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

        func clock() -> MachineClock {
            MachineClock(
                read: { [self] in
                    state.withLock {
                        MachineClock.Reading(wall: Instant(micros: $0.wall), sinceBoot: $0.sinceBoot)
                    }
                }, kernel: { [self] in state.withLock { $0.kernel } })
        }
    }

    private func belief(
        _ clock: MachineClock, after latest: Instant? = start, isConfirmed: Bool = false
    ) -> MachineClock.Belief {
        clock.read(after: latest, isConfirmed: isConfirmed).belief
    }

    @Test("is believed up to ten days after the latest recorded instant, and whatever it shows before that")
    func near() {
        let machine = Machine()
        for (ahead, expected) in [
            (0, MachineClock.Belief.near), (10 * Self.day, .near), (10 * Self.day + 1, .notBelieved),
            (26_000 * Self.day, .notBelieved), (-1, .near), (-3_000 * Self.day, .near),
        ] {
            machine.change { $0.wall = Self.start.micros + ahead }
            #expect(belief(machine.clock()) == expected, "\(ahead)")
        }
    }

    @Test("is believed by a ledger that has recorded no instant")
    func nothingRecorded() {
        let machine = Machine()
        machine.change { $0.wall += 26_000 * Self.day }
        #expect(belief(machine.clock(), after: nil) == .noInstantRecorded)
    }

    @Test("is believed if the process has seen the time pass, whatever has not been recorded meanwhile")
    func timePassed() {
        let machine = Machine()
        let clock = machine.clock()
        #expect(belief(clock) == .near)
        for _ in 0..<20 {
            machine.change {
                $0.wall += 30 * Self.day
                $0.sinceBoot += 30 * Self.day
            }
            #expect(belief(clock) == .timePassed)
        }
        // Another process has seen nothing.
        #expect(belief(machine.clock()) == .notBelieved)
        // A wall clock that has gone less far than the time has shows nothing that has not come.
        machine.change { $0.sinceBoot += 5 * Self.day }
        #expect(belief(clock) == .timePassed)
        // A small correction is no jump, a large one is.
        machine.change { $0.wall += 5 * Self.day + Self.hour }
        #expect(belief(clock) == .notBelieved)
    }

    @Test("does not become believed by many small jumps")
    func creeping() {
        let machine = Machine()
        let clock = machine.clock()
        #expect(belief(clock) == .near)
        var beliefs: [MachineClock.Belief] = []
        for _ in 0..<11 * 24 * 2 {
            machine.change { $0.wall += Self.hour / 2 }
            beliefs.append(belief(clock))
        }
        #expect(beliefs.prefix(10 * 48).allSatisfy { $0 == .near })
        // What was believed last was within the ten days.
        #expect(beliefs.suffix(40).allSatisfy { $0 == .notBelieved })
    }

    @Test("that has jumped stays unbelieved while time goes on, and is believed once it is set right")
    func jumpsAndIsSetRight() {
        let machine = Machine()
        let clock = machine.clock()
        #expect(belief(clock) == .near)
        machine.change { $0.wall += 400 * Self.day }
        for _ in 0..<3 {
            #expect(belief(clock) == .notBelieved)
            machine.change {
                $0.wall += 20 * Self.day
                $0.sinceBoot += 20 * Self.day
            }
        }
        machine.change { $0.wall -= 400 * Self.day }
        #expect(belief(clock) == .timePassed)
    }

    @Test("is believed if the kernel says that it is synchronised, or a person does; no answer counts as no")
    func words() {
        let machine = Machine()
        machine.change { $0.wall += 400 * Self.day }
        for (kernel, expected) in [
            (MachineClock.Kernel.synchronized, MachineClock.Belief.kernelSynchronized), (.unsynchronized, .notBelieved),
            (.silent(errno: 1), .notBelieved), (.silent(errno: 38), .notBelieved),
        ] {
            machine.change { $0.kernel = kernel }
            #expect(belief(machine.clock()) == expected, "\(kernel)")
        }
        #expect(belief(machine.clock(), isConfirmed: true) == .confirmed)
    }

    @Test("is compared without overflow with what a damaged ledger holds")
    func extremes() {
        let clock = Machine().clock()
        #expect(belief(clock, after: Instant(micros: .min)) == .notBelieved)
        #expect(belief(clock, after: Instant(micros: .max)) == .near)
    }

    @Test("of this machine tells the time since boot and has a word of the kernel")
    func system() {
        let first = MachineClock.system.read(after: nil, isConfirmed: false)
        #expect(first.belief == .noInstantRecorded)
        #expect(first.now > Self.start)
        #expect(MachineClock.system.read(after: Self.start, isConfirmed: false).belief == .timePassed)
        _ = MachineClock.system.kernel
    }
}
