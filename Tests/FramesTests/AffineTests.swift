import Frames
import Testing

@Suite struct AffineTests {
  @Test func `maps are chained in reading order and undone by their inverse`() {
    let map = Affine.scale(2, 3).then(.move(10, 20)).then(Affine(0, 1, -1, 0, 0, 0))
    #expect(map.point(1, 1) == (x: -23, y: 12))
    let back = map.then(map.inverse!)
    #expect(abs(back.a - 1) < 1e-12 && abs(back.b) < 1e-12 && abs(back.e) < 1e-9 && abs(back.f) < 1e-9)
  }

  @Test func `a flat map has no inverse`() { #expect(Affine.scale(1, 0).inverse == nil) }

  @Test func `a turned box stays upright`() {
    let box = Affine(0, 1, -1, 0, 0, 0).bounds(Box(x: 1, y: 2, width: 3, height: 4))
    #expect(box == Box(x: -6, y: 1, width: 4, height: 3))
  }
}
