import Frames
import Randomness
import Testing

@testable import Inference
@testable import Kernels

@Suite struct RowSharesTests {
  @Test(arguments: [[0..<10], [0..<1, 5..<9, 20..<21], [3..<4], []], [1, 2, 3, 8])
  func sharesCoverEveryRowOnce(_ ranges: [Range<Int>], count: Int) {
    let shares = RowShares.shares(of: ranges, among: count)
    let total = ranges.reduce(0) { $0 + $1.count }
    #expect(shares.count == min(count, total))
    #expect(shares.flatMap { $0.flatMap(Array.init) } == ranges.flatMap(Array.init))
    let sizes = shares.map { $0.reduce(0) { $0 + $1.count } }
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
  }

  @Test(arguments: [[0..<500], [0..<40, 45..<46, 60..<300]], [nil, 0, 6])
  func threadsOfAnySpeedMakeEveryRowOnce(_ ranges: [Range<Int>], overlap: Int?) {
    var random = Seeded(state: 21)
    let plan = Plan(NetworkShape(channels: [16]).make(&random), table: .current)
    for _ in 0..<50 {
      let count = Int.random(in: 1...4, using: &random)
      let speeds = (0..<count).map { _ in Int.random(in: 1...20, using: &random) }
      var threads = Simulation(
        RowShares(
          ranges, among: count, overlap: overlap,
          loans: overlap == nil || Bool.random(using: &random) ? nil : Loans(plan, rowBytes: [64, 64])),
        step: .random(in: 1...4, using: &random))
      while !threads.areDone {
        for thread in 0..<count where Int.random(in: 1...20, using: &random) <= speeds[thread] { threads.step(thread) }
      }
      #expect(threads.made.sorted() == ranges.flatMap(Array.init))
    }
  }

  @Test func runsThatMeetLendTheirFirstRows() throws {
    var random = Seeded(state: 20)
    let plan = Plan(NetworkShape(channels: [16]).make(&random), table: .current)
    let shares = RowShares([0..<10, 20..<40], among: 3, overlap: 4, loans: Loans(plan, rowBytes: [64, 64]))
    let runs = (0..<3).compactMap { shares.next(for: $0) }
    #expect(runs.map(\.rows) == [0..<10, 20..<30, 30..<40])
    #expect(runs[0].borrows == nil && runs[1].lends == nil, "the two do not meet")
    let loan = try #require(runs[1].borrows)
    #expect(runs[2].lends === loan && runs[2].borrows == nil)
    let near = shares.proceed(1, to: 28)
    #expect(near.end == 30 && near.loan == nil, "it is not filled")
    _ = shares.proceed(0, to: 10)
    let rest = try #require(shares.next(for: 0), "the longest run is cut")
    let cut = try #require(rest.lends)
    #expect(rest.rows.upperBound == 40 && shares.proceed(2, to: 30).end == rest.rows.lowerBound)
    cut.begin(first: [100, 100], height: 100)
    #expect(shares.proceed(2, to: rest.rows.lowerBound - 5).loan == nil, "it is not near")
    #expect(shares.proceed(2, to: rest.rows.lowerBound - 4).loan === cut)
    _ = shares.proceed(0, to: 40)
    #expect(shares.next(for: 0)?.rows == nil, "who borrows is cut no more")
    #expect(shares.proceed(2, to: rest.rows.lowerBound).loan === cut)
  }

  @Test func whatASlowThreadHasNotBegunIsTaken() {
    var threads = Simulation(RowShares([0..<1000], among: 2, overlap: 10), step: 1)
    for _ in 0..<100 { threads.step(1) }
    while !threads.isDone[0] { threads.step(0) }
    let made = threads.made.count
    while !threads.areDone { threads.step(1) }
    #expect(threads.made.count - made <= 30)
    #expect(threads.made.sorted() == Array(0..<1000))
  }

  static let shapes = [
    NetworkShape(channels: [16, 16, 16]), NetworkShape(channels: [32, 32], fold: 2),
    NetworkShape(channels: [16, 20, 16], kernels: [(5, 5), (3, 3), (1, 1), (3, 1)], zeroPoints: true),
    NetworkShape(channels: [48, 16], planes: 3, slopes: true),
  ]

  /// A picture of 50 rows in three runs. The middle one hears at row 17 that it ends at 31, and from some row on that it is
  /// to borrow what it needs beyond.
  @Test(arguments: shapes, [nil, 0, 17, 25, 28, 30]) func aCutPictureGivesTheSameBits(
    _ shape: NetworkShape, borrowsFrom: Int?
  ) {
    var random = Seeded(state: 22)
    for table in KernelTable.available {
      let cut = CutPicture(shape, table, &random)
      let loans = Loans(cut.plan, rowBytes: cut.band.rowBytes)
      let (upper, lower) = (loans.take(), loans.take())
      #expect(cut.givesItsRows(.init(rows: 31..<50, lends: lower)) { _ in (50, nil) })
      let middle = RowShares.Run(rows: 3..<50, lends: upper)
      #expect(
        cut.givesItsRows(middle, until: 31) { row in
          row <= 17 ? (50, nil) : (31, row >= borrowsFrom ?? 50 ? lower : nil)
        })
      #expect(lower.isFilled && upper.isFilled)
      #expect(cut.givesItsRows(.init(rows: 0..<3)) { _ in (3, borrowsFrom == nil ? nil : upper) })
      // Whose rows they are shows where they are another picture's.
      guard let borrowsFrom, borrowsFrom < 28 else { continue }
      cut.band.run(cut.job(of: cut.black), .init(rows: 31..<50, lends: lower))
      #expect(!cut.givesItsRows(.init(rows: 3..<31)) { _ in (31, lower) })
      let reach = cut.plan.pictureReach
      #expect(cut.givesItsRows(.init(rows: 3..<31), until: 31 - reach.above - reach.below) { _ in (31, lower) })
    }
  }

  @Test(arguments: shapes) func threadsThatTakeFromEachOtherGiveTheSameBits(_ shape: NetworkShape) {
    var random = Seeded(state: 23)
    let network = Network(integers: shape.make(&random))
    let input = TestPlane(width: 40, height: 300, depth: 8, count: shape.planes)
    input.samples = (0..<shape.planes * 40 * 300).map { _ in UInt16.random(in: 0...255, using: &random) }
    func plane() -> TestPlane {
      TestPlane(width: 40 * network.scale, height: 300 * network.scale, depth: 8, count: shape.planes)
    }
    let expected = plane()
    NetworkRunner(network, threads: 1).run(input.planes, depth: 8, into: expected.mutables, outputDepth: 8)
    for threads in [2, 3, 5] {
      let runner = NetworkRunner(network, threads: threads)
      for _ in 0..<10 {
        let output = plane()
        runner.run(input.planes, depth: 8, into: output.mutables, outputDepth: 8)
        #expect(output.samples == expected.samples)
      }
    }
  }
}

/// A picture of noise, 50 rows where the network folds it, and what a network makes of it as a whole.
private struct CutPicture {
  private let network: Network
  private let runner: NetworkRunner
  private let input: TestPlane
  let black: TestPlane
  private let expected: [UInt16]
  private let output: TestPlane

  var plan: Plan { runner.plan }
  var band: Band { runner.bands[0] }

  init(_ shape: NetworkShape, _ table: KernelTable, _ random: inout Seeded) {
    network = Network(integers: shape.make(&random))
    runner = NetworkRunner(network, threads: 1, table: table)
    let (width, height, scale) = (30 * shape.fold, 50 * shape.fold, network.scale)
    input = TestPlane(width: width, height: height, depth: 8, count: shape.planes)
    input.samples = (0..<shape.planes * width * height).map { _ in UInt16.random(in: 0...255, using: &random) }
    black = TestPlane(width: width, height: height, depth: 8, count: shape.planes)
    output = TestPlane(width: scale * width, height: scale * height, depth: 8, count: shape.planes)
    runner.run(input.planes, depth: 8, into: output.mutables, outputDepth: 8)
    expected = output.samples
  }

  func job(of input: TestPlane) -> Band.Job {
    Band.Job(
      inputs: input.planes, inputDepth: 8, outputs: output.mutables, outputDepth: 8,
      arithmetic: EndingArithmetic(plan.network.ending, inputDepth: 8, outputDepth: 8))
  }

  /// Whether a run makes just its rows, and those before `until` as they are in the whole picture.
  func givesItsRows(
    _ run: RowShares.Run, until end: Int? = nil, proceed: @escaping (Int) -> (end: Int, loan: Loan?)
  ) -> Bool {
    let untouched = expected.map { $0 == 0 ? 1 : $0 - 1 }
    output.samples = untouched
    band.run(job(of: input), run, proceed: proceed)
    let rows = run.rows.lowerBound..<(end ?? run.rows.upperBound)
    let last = proceed(50).end
    return output.samples.enumerated().allSatisfy { index, sample in
      let row = index / output.width % output.height * 50 / output.height
      if rows.contains(row) { return sample == expected[index] }
      return (run.rows.lowerBound..<last).contains(row) || sample == untouched[index]
    }
  }
}

/// Threads that make a step when they are told to.
private struct Simulation {
  private let shares: RowShares
  private let stepRows: Int
  private var places: [Int?]
  private(set) var made: [Int] = []
  private(set) var isDone: [Bool]

  var areDone: Bool { isDone.allSatisfy { $0 } }

  init(_ shares: RowShares, step: Int) {
    self.shares = shares
    stepRows = step
    places = .init(repeating: nil, count: shares.threads)
    isDone = .init(repeating: false, count: shares.threads)
  }

  mutating func step(_ thread: Int) {
    guard !isDone[thread] else { return }
    guard let place = places[thread] ?? shares.next(for: thread)?.rows.lowerBound else { return isDone[thread] = true }
    let end = min(place + stepRows, shares.proceed(thread, to: place + stepRows).end)
    made += place..<max(place, end)
    places[thread] = end == place + stepRows ? end : nil
  }
}
