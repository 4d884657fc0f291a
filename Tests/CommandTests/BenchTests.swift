import Foundation
import Testing

/// What the benchmarks print: their figures are the machine's.
@Suite struct BenchTests {
  @Test func aModelIsTimedAndItsLayersWhereAskedFor() throws {
    let arguments = ["bench", "model", "sr-x2-fast", "--size", "64x48", "--runs", "2", "--threads", "1"]
    let short = try Command(arguments)
    #expect(short.code == 0)
    let lines = short.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("sr-x2-fast on 64x48: "))
    for unit in [" ms, ", " fps, ", " GMAC/s (", " % of the peak), ", "1 thread"] { #expect(lines[0].contains(unit)) }
    #expect(lines[1].hasSuffix(" MB held") && lines[1].contains(" MB moved a frame, "))
    let verbose = try Command(arguments + ["-v"]).output.split(separator: "\n")
    // The picture, six convolutions.
    #expect(verbose.count == lines.count + 7)
    #expect(verbose.dropFirst(3).allSatisfy { $0.contains("3x3") && $0.hasSuffix(" GMAC/s") })
    let scaling = try Command(["bench", "model", "sr-x2-fast", "--size", "64x48", "--runs", "2", "--scaling"])
    #expect(scaling.output.contains(" times as fast as one thread\n"))
    let object = try JSONSerialization.jsonObject(with: Data(Command(arguments + ["-v", "--json"]).output.utf8))
    let fields = try #require(object as? [String: Any])
    #expect((fields["layers"] as? [[String: Any]])?.count == 7)
    #expect(try #require(fields["ms"] as? Double) > 0)
  }

  @Test func kernelsOfEveryLevelAreTimed() throws {
    let command = try Command(["bench", "kernels", "--runs", "1"])
    #expect(command.code == 0)
    let lines = command.output.split(separator: "\n")
    #expect(!lines.isEmpty && lines.count % 9 == 0)
    #expect(lines[0].hasPrefix("baseline 3x3 1->16") && lines[0].hasSuffix(" % of the peak"))
  }
}
