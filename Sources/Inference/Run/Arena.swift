/// Memory that lives as long as this object: the tables that kernels read through pointers.
///
/// Unchecked: what it holds is written before it is shared, and only read after.
final class Arena: @unchecked Sendable {
  private var blocks: [UnsafeMutableRawPointer] = []
  private(set) var bytes = 0

  deinit { for block in blocks { block.deallocate() } }

  /// A block of `count` values, aligned to a cache line, all zero bytes.
  func make<Value: BitwiseCopyable>(_: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
    let size = max(count * MemoryLayout<Value>.stride, 1)
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    blocks.append(block)
    bytes += size
    return block.bindMemory(to: Value.self, capacity: max(count, 1))
  }

  func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafePointer<Value> {
    let block = make(Value.self, count: values.count)
    for (index, value) in values.enumerated() { block[index] = value }
    return UnsafePointer(block)
  }
}
