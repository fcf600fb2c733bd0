using System.Text.RegularExpressions;
using Llava.Contracts.Requests;

namespace Llava.Ledger.Schedules;

/// <summary>What a user may ask to be done again and again: a job or a training run, and when.</summary>
public sealed partial record ScheduleDefinition
{
    /// <summary>In the place of a training file's id: the newest of the tenant with the purpose <c>fine-tune</c> when it fires, such as the last made of reviewed answers.</summary>
    public const string NewestFile = "newest";

    /// <summary>Its handle, one of a kind in its tenant: 1 to 100 letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What each fire does.</summary>
    public required ScheduleKind Kind { get; init; }

    /// <summary>When, in five cron fields: minute, hour, day of month, month, day of week; a sixth in front is the second.</summary>
    public required string Cron { get; init; }

    /// <summary>IANA name of the time zone that <see cref="Cron"/> is read in. Default <c>UTC</c>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>The job, without an idempotency key: each run gets its own. Its tenant is the schedule's. Null for <see cref="ScheduleKind.Finetune"/>.</summary>
    public JobRequest? Request { get; init; }

    /// <summary>The training run of <see cref="ScheduleKind.Finetune"/>; its file is an id or <see cref="NewestFile"/>. Its tenant is the schedule's. Null for jobs.</summary>
    public TrainingRequest? Training { get; init; }

    /// <summary>Whether what an earlier job of this schedule has answered is left out, or a file that an earlier run of it has learned from. Default false.</summary>
    public bool OnlyNew { get; init; }

    /// <summary>What happens when the job or run before is not over. Default <see cref="ScheduleOverlap.Skip"/>.</summary>
    public ScheduleOverlap Overlap { get; init; }

    /// <summary>Who it belongs to.</summary>
    public string Tenant => Request?.Tenant ?? Training?.Tenant ?? "";

    /// <summary>The model that answers, or that is trained on.</summary>
    public string Model => Request?.Model ?? Training?.Model ?? "";

    /// <summary>Every rule this schedule breaks; empty when it can be kept.</summary>
    public IReadOnlyList<Finding> Validate()
    {
        List<Finding> findings = [];
        Check(NameRule().IsMatch(Name), "name", $"is '{Name}'; give 1 to 100 letters, digits, '-', '_' and '.', a letter or digit first.");
        Check(Enum.IsDefined(Kind), "kind", $"is {(int)Kind}; give {Words<ScheduleKind>()}.");
        Check(Enum.IsDefined(Overlap), "overlap", $"is {(int)Overlap}; give {Words<ScheduleOverlap>()}.");
        Check(Kind == ScheduleKind.Finetune || Request is not null, "request", $"is missing, and {Kind.ToString().ToLowerInvariant()} makes a job; give it.");
        Check(Kind != ScheduleKind.Finetune || Training is not null, "training", "is missing, and finetune makes a training run; give it.");
        Check(Request is null || Training is null, "training", "stands beside 'request'; give the one that the kind makes.");
        if (Request is { } request)
        {
            Check(Kind != ScheduleKind.Vqa || request.Source.Kind == SourceKind.Questions, "request.source.kind", "is no question file, which vqa answers; give questions.");
            Check(Kind != ScheduleKind.Evaluate || request.Expected is not null, "request.expected", "is missing; name the field of each record that holds the right answer.");
            Check(Kind != ScheduleKind.Evaluate || !OnlyNew, "only_new", "is true, and an evaluation asks all of its questions each time; leave it out.");
            Check(request.IdempotencyKey is null, "request.idempotency_key", "is set; leave it out, each run gets its own.");
            Check(!request.Open, "request.open", "is true, and a schedule's job brings all of its source; leave it out.");
            Check(request.Sample is null, "request.sample", "is set, and nobody may be there to resume the job; leave it out.");
        }

        Check(Training?.After is null, "training.after", "is set; leave it out, and name a model or a name that runs are promoted to.");
        Cadence.TryParse(Cron, TimeZone, findings);
        findings.AddRange(Request?.Validate().Select(finding => finding with { Field = $"request.{finding.Field}" }) ?? []);
        findings.AddRange(Training?.Findings().Select(finding => finding with { Field = $"training.{finding.Field}" }) ?? []);
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
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant();

    [GeneratedRegex(@"^[\p{L}\p{Nd}][\p{L}\p{Nd}._-]{0,99}\z")]
    private static partial Regex NameRule();
}

/// <summary>What a schedule's fires do.</summary>
public enum ScheduleKind
{
    /// <summary>Ask one or more prompts about every image of a source.</summary>
    Annotate,

    /// <summary>Answer LLaVA's question file.</summary>
    Vqa,

    /// <summary>Train a model on a file of rows.</summary>
    Finetune,

    /// <summary>Answer a file of questions whose right answers it holds, and score the answers by them.</summary>
    Evaluate,
}

/// <summary>What happens when a schedule is due and its job before is not over.</summary>
public enum ScheduleOverlap
{
    /// <summary>Nothing but a note; the next time is the next one.</summary>
    Skip,

    /// <summary>The job is submitted all the same.</summary>
    Queue,
}
