/// A direction of computation.
public enum Pass: String, Hashable, Sendable, Codable, CaseIterable { case forward, backward }
