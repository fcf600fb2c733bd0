using System.Text.RegularExpressions;
using Llava.Contracts.Requests;

namespace Llava.Ledger.Schedules;

/// <summary>What a user may ask to be done again and again: a job, and when.</summary>
public sealed partial record ScheduleDefinition
{
    /// <summary>Its handle, one of a kind in its tenant: 1 to 100 letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What each job does.</summary>
    public required ScheduleKind Kind { get; init; }

    /// <summary>When, in five cron fields: minute, hour, day of month, month, day of week; a sixth in front is the second.</summary>
    public required string Cron { get; init; }

    /// <summary>IANA name of the time zone that <see cref="Cron"/> is read in. Default <c>UTC</c>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>The job, without an idempotency key: each run gets its own. Its tenant is the schedule's.</summary>
    public required JobRequest Request { get; init; }

    /// <summary>Whether what an earlier job of this schedule has answered is left out. Default false.</summary>
    public bool OnlyNew { get; init; }

    /// <summary>What happens when the job before is not over. Default <see cref="ScheduleOverlap.Skip"/>.</summary>
    public ScheduleOverlap Overlap { get; init; }

    /// <summary>Who it belongs to.</summary>
    public string Tenant => Request.Tenant;

    /// <summary>Every rule this schedule breaks; empty when it can be kept.</summary>
    public IReadOnlyList<Finding> Validate()
    {
        List<Finding> findings = [];
        Check(NameRule().IsMatch(Name), "name", $"is '{Name}'; give 1 to 100 letters, digits, '-', '_' and '.', a letter or digit first.");
        Check(Enum.IsDefined(Kind), "kind", $"is {(int)Kind}; give {Words<ScheduleKind>()}.");
        Check(Enum.IsDefined(Overlap), "overlap", $"is {(int)Overlap}; give {Words<ScheduleOverlap>()}.");
        Check(Kind != ScheduleKind.Vqa || Request.Source.Kind == SourceKind.Questions, "request.source.kind", "is no question file, which vqa answers; give questions.");
        Check(Request.IdempotencyKey is null, "request.idempotency_key", "is set; leave it out, each run gets its own.");
        Check(!Request.Open, "request.open", "is true, and a schedule's job brings all of its source; leave it out.");
        Cadence.TryParse(Cron, TimeZone, findings);
        findings.AddRange(Request.Validate().Select(finding => finding with { Field = $"request.{finding.Field}" }));
        return findings;

        void Check(bool holds, string field, string message)
        {
            if (!holds)
            {
                findings.Add(new(field, message));
            }
        }
    }

    private static string Words<T>()
        where T : struct, Enum => string.Join(" or ", Enum.GetNames<T>()).ToLowerInvariant();

    [GeneratedRegex(@"^[\p{L}\p{Nd}][\p{L}\p{Nd}._-]{0,99}\z")]
    private static partial Regex NameRule();
}

/// <summary>What a schedule's jobs do.</summary>
public enum ScheduleKind
{
    /// <summary>Ask one or more prompts about every image of a source.</summary>
    Annotate,

    /// <summary>Answer LLaVA's question file.</summary>
    Vqa,
}

/// <summary>What happens when a schedule is due and its job before is not over.</summary>
public enum ScheduleOverlap
{
    /// <summary>Nothing but a note; the next time is the next one.</summary>
    Skip,

    /// <summary>The job is submitted all the same.</summary>
    Queue,
}
