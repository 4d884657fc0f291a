/// Memory for the tables that kernels read through pointers; it lives as long as this object.
final class Room {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    let size = MemoryLayout<Value>.stride * max(values.count, 1)
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    blocks.append(block)
    values.withUnsafeBytes { block.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(block), byteCount: $0.count) }
    return block.bindMemory(to: Value.self, capacity: max(values.count, 1))
  }
}
