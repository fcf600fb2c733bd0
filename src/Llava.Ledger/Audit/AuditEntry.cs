using System.Data.Common;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Audit;

/// <summary>One line of the audit log.</summary>
public sealed record AuditEntry
{
    /// <summary>Its place in the chain, from 1 on without a gap.</summary>
    public required long Number { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who did it.</summary>
    public required string Actor { get; init; }

    /// <summary>Whose thing it was done to.</summary>
    public required string Tenant { get; init; }

    /// <summary>What was done, one of <see cref="AuditActions"/>.</summary>
    public required string Action { get; init; }

    /// <summary>To what, such as a job's id.</summary>
    public required string Target { get; init; }

    /// <summary>The request that did it, as the server's log names it; null where there was none.</summary>
    public string? RequestId { get; init; }

    /// <summary>A JSON object that says more, without secrets; null where there is no more to say.</summary>
    public string? Details { get; init; }

    /// <summary>SHA-256, in lower-case hexadecimal, of the line before's and of everything above.</summary>
    public required string Hash { get; init; }

    internal static AuditEntry Read(DbDataReader row) => new()
    {
        Number = row.GetInt64(0),
        At = row.Time(1),
        Actor = row.GetString(2),
        Tenant = row.GetString(3),
        Action = row.GetString(4),
        Target = row.GetString(5),
        RequestId = row.Text(6),
        Details = row.Text(7),
        Hash = row.GetString(8),
    };
}

/// <summary>Which lines to list.</summary>
public sealed record AuditFilter
{
    /// <summary>Only those of actors whose name begins so; null for all.</summary>
    public string? Actor { get; init; }

    /// <summary>Only those whose action begins so, such as <c>job.</c>; null for all.</summary>
    public string? Action { get; init; }

    /// <summary>Only those about targets that begin so; null for all.</summary>
    public string? Target { get; init; }

    /// <summary>Only those about this tenant's things; null for all.</summary>
    public string? Tenant { get; init; }

    /// <summary>Only those before this number: the last of the page before.</summary>
    public long Before { get; init; } = long.MaxValue;

    /// <summary>Most lines to return. Default 50.</summary>
    public int Limit { get; init; } = 50;
}

/// <summary>What a check of the chain found.</summary>
/// <param name="Count">Lines that hold.</param>
/// <param name="Head">Hash of the last line that holds; what to keep elsewhere, to find out later whether lines were cut off at the end.</param>
/// <param name="Fault">What is wrong with the first line that does not hold; null when all do.</param>
public sealed record AuditVerdict(long Count, string Head, string? Fault)
{
    /// <summary>Whether all lines hold.</summary>
    public bool IsWhole => Fault is null;
}
