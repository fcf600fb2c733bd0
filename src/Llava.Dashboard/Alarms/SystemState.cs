using Llava.Ledger.Backlogs;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Alarms;

/// <summary>How broker, ledger and consumers are.</summary>
/// <param name="Parts">Every health check of this process.</param>
/// <param name="Workers">Consumers that did not say goodbye; as last seen while the ledger is away.</param>
/// <param name="Backlog">What waits and runs, of all tenants; as last seen while the ledger is away, null before it was seen.</param>
/// <param name="At">When it was looked at.</param>
public sealed record SystemState(IReadOnlyList<SystemPart> Parts, IReadOnlyList<WorkerRecord> Workers, Backlog? Backlog, DateTimeOffset At)
{
    /// <summary>Whether the ledger answers.</summary>
    public bool HasLedger => Parts.All(part => part.Name != SystemPart.Ledger || part.IsWell);
}

/// <summary>A part that can be away.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="IsWell">Whether it answers.</param>
/// <param name="Took">How long its answer took.</param>
public sealed record SystemPart(string Name, bool IsWell, TimeSpan Took)
{
    /// <summary>The database of jobs and results.</summary>
    public const string Ledger = "Ledger";

    /// <summary>The transport of messages.</summary>
    public const string Broker = "Broker";

    /// <summary>What people call a health check.</summary>
    internal static string NameOf(string check) => check switch
    {
        "ledger" => Ledger,
        _ when check.StartsWith("masstransit", StringComparison.OrdinalIgnoreCase) || check.StartsWith("broker", StringComparison.Ordinal) => Broker,
        _ => char.ToUpperInvariant(check[0]) + check[1..],
    };
}
