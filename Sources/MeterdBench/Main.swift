// The benchmark's executable: everything is in Bench.

import Bench

@main
enum Main {
    static func main() { BenchCommand.start() }
}
