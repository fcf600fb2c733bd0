namespace Llava.Contracts.Telemetry;

/// <summary>
/// Names of the <c>ActivitySource</c> and the <c>Meter</c> of each area. All begin with <c>Llava.</c>, so that a collector asks for
/// <c>Llava.*</c>. docs/operations.md lists what each reports.
/// </summary>
public static class TelemetrySources
{
    /// <summary>All of them.</summary>
    public const string All = "Llava.*";

    /// <summary>Jobs, chunks and results as they are recorded.</summary>
    public const string Ledger = "Llava.Ledger";

    /// <summary>Expansion, dispatch, and the work that waits.</summary>
    public const string Scheduler = "Llava.Scheduler";

    /// <summary>Chunks and items in work, and the engine.</summary>
    public const string Consumer = "Llava.GpuConsumer";

    /// <summary>The model core, which references nothing and spells its name itself.</summary>
    public const string ModelCore = "Llava.ModelCore";
}
