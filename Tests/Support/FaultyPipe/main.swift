import Batch
import FaultyStages
import Foundation
import Frames
import Pipeline

// `pipe` with stages that go wrong on demand: `FaultyPipe worker`, or `FaultyPipe PIPELINE OUTPUT INPUT...`.
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments == ["worker"] { exit(WorkerMain.run(registry: faultyStages)) }

var request = RunRequest(pipeline: arguments[0], inputs: Array(arguments.dropFirst(2)))
request.output = arguments[1]
request.jobs = 2
let stop = StopFlag()
let observer = JSONObserver()
let signals = SignalHandler(stop) { observer.remark($0) }
do {
  exit(try BatchRun(request, registry: faultyStages, stop: stop, observer: observer).run().rawValue)
} catch let failure as Failure {
  observer.remark(failure.description)
  exit(failure.exitCode.rawValue)
}
