import Foundation
import Pipeline

/// What each job of a plan will cost, as a dry run tells.
struct Forecast {
  private let model: CostModel
  private let threads: Int

  init(_ plan: Plan, _ chain: Chain, threads: Int) {
    self.threads = threads
    model = CostModel(chain, receipts: plan.roots.flatMap { Forecast.receipts($0, most: 200) })
  }

  /// Has inputs opened by `runner`, as many as a second allows; of the others, their bytes must tell.
  func predict(_ jobs: [PlannedJob], on runner: any JobRunner) -> [String: Prediction] {
    let start = ContinuousClock.now
    var known: [String: Prediction] = [:]
    for job in jobs {
      guard start.duration(to: .now).seconds < 1 else { break }
      let order = JobOrder(
        input: job.input.path, output: "", threads: threads, strict: false, verbose: false, task: .measure)
      guard
        case .measured(let extent) = runner.run(
          order, stop: { start.duration(to: .now).seconds > 3 ? .now : .none }, progress: { _ in })
      else { continue }
      known[job.input.path] = model.predict(extent, threads: threads)
    }
    let measured = jobs.filter { known[$0.input.path] != nil }
    let bytes = measured.reduce(0) { $0 + $1.input.identity.size }
    guard bytes > 0 else { return known }
    let sum = measured.compactMap { known[$0.input.path] }
    let mean = (
      seconds: sum.reduce(0) { $0 + $1.seconds } / Double(bytes),
      temporary: sum.reduce(0) { $0 + Double($1.temporary) } / Double(bytes)
    )
    for job in jobs.dropFirst(measured.count) where known[job.input.path] == nil {
      let size = Double(job.input.identity.size)
      known[job.input.path] = Prediction(
        seconds: size * mean.seconds, memory: sum.map(\.memory).max() ?? 0, temporary: Int(size * mean.temporary),
        learned: model.learned)
    }
    return known
  }

  private static func receipts(_ root: OutputRoot, most: Int) -> [Receipt] {
    var result: [Receipt] = []
    for case let name as String in FileManager.default.enumerator(atPath: root.receipts) ?? .init()
    where name.hasSuffix(".json") {
      if case .receipt(let receipt)? = Receipt.load(root.receipts + "/" + name) { result.append(receipt) }
      if result.count == most { break }
    }
    return result
  }
}

extension Prediction {
  /// `about 3:20, 450 MiB of memory, 30 MiB of space`.
  var text: String {
    func mebibytes(_ bytes: Int) -> String {
      bytes < 10 << 20 ? String(format: "%.1f", Double(bytes) / 1048576) : "\(bytes >> 20)"
    }
    return
      "about \(HumanObserver.duration(seconds)), \(memory >> 20) MiB of memory, \(mebibytes(temporary)) MiB of space"
  }
}
