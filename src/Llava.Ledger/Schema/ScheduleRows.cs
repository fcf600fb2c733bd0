namespace Llava.Ledger.Schema;

/// <summary>A schedule. Times are Unix milliseconds.</summary>
internal sealed class ScheduleRow
{
    public long Id { get; init; }
    public required string Tenant { get; init; }
    public required string Name { get; init; }
    public required string Kind { get; init; }
    public required string Cron { get; init; }

    /// <summary>IANA name.</summary>
    public required string TimeZone { get; init; }

    /// <summary>The job's request as JSON, or the training run's.</summary>
    public required string Request { get; init; }
    public bool OnlyNew { get; init; }
    public required string Overlap { get; init; }
    public bool Enabled { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }

    /// <summary>Fires up to here have been dealt with.</summary>
    public long SettledUntil { get; init; }
    public long? LastRunAt { get; init; }
    public long? LastJobId { get; init; }
    public string? LastError { get; init; }
}

/// <summary>A job that a schedule made.</summary>
internal sealed class ScheduleJobRow
{
    public long JobId { get; init; }
    public long ScheduleId { get; init; }

    /// <summary>As the schedule said when it fired.</summary>
    public bool OnlyNew { get; init; }
}

/// <summary>A training run that a schedule asked for.</summary>
internal sealed class ScheduleRunRow
{
    public required string RunId { get; init; }
    public long ScheduleId { get; init; }

    /// <summary>File that it learns from.</summary>
    public required string TrainingFile { get; init; }
}

/// <summary>What a schedule's jobs have been asked.</summary>
internal sealed class ScheduleItemRow
{
    public long ScheduleId { get; init; }

    /// <summary>64 bits of the hash of what makes the item itself.</summary>
    public long Key { get; init; }

    /// <summary>The job that was asked last; null when it was answered and that job has been deleted.</summary>
    public long? JobId { get; init; }
    public int ItemNo { get; init; }
}
