// The executable: everything is in Commands.

import Commands

@main
enum Main {
    static func main() async { await Meterd.run() }
}
