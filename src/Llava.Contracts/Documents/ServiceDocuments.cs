namespace Llava.Contracts.Documents;

/// <summary>A model that some worker answers for.</summary>
/// <param name="Id">Name that jobs ask for.</param>
/// <param name="Revisions">Revisions of its weights; several while workers are being renewed.</param>
/// <param name="Slots">Sequences that all its workers run at the same time.</param>
/// <param name="Workers">How many workers serve it.</param>
public sealed record ModelDocument(string Id, IReadOnlyList<string> Revisions, int Slots, int Workers);

/// <summary>A consumer process that lives.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Host">Name of its machine.</param>
/// <param name="Models">Models it answers for.</param>
/// <param name="Draining">Whether it takes no more work and finishes what it has.</param>
/// <param name="HeartbeatAt">When it last said that it lives.</param>
/// <param name="Bases">Bases from which it can train LLaVA's first stage.</param>
public sealed record WorkerDocument(string Id, string Host, IReadOnlyList<string> Models, bool Draining, DateTimeOffset HeartbeatAt, IReadOnlyList<string> Bases);

/// <summary>A whole list.</summary>
/// <param name="Data">Its entries.</param>
public sealed record ListDocument<T>(IReadOnlyList<T> Data);
