using Llava.Contracts.Requests;
using Llava.Ledger.Schedules;

namespace Llava.Dashboard.Schedules;

/// <summary>A schedule as a form spells it. What a form does not show stays as it was.</summary>
public sealed class ScheduleForm
{
    /// <summary>The kind of a form that asks about what a source holds.</summary>
    public const string Annotate = "annotate";

    /// <summary>The kind of a form that scores answers.</summary>
    public const string Evaluate = "evaluate";

    /// <summary>The kind of a form that trains.</summary>
    public const string Finetune = "finetune";

    private const string Questions = "training.promotion.evaluate.";

    /// <summary>Its handle.</summary>
    public string? Name { get; set; }

    /// <summary>What it does: <c>annotate</c>, questions included, <c>evaluate</c> or <c>finetune</c>.</summary>
    public string Kind { get; set; } = Annotate;

    /// <summary>Kind of the source, as it is spelled in JSON.</summary>
    public string SourceKind { get; set; } = "folder";

    /// <summary>Folder or file, as the scheduler's machine sees it.</summary>
    public string? Path { get; set; }

    /// <summary>Folder that image names in a file start from.</summary>
    public string? ImageFolder { get; set; }

    /// <summary>Model that answers.</summary>
    public string? Model { get; set; }

    /// <summary>What is asked about every item.</summary>
    public string? Prompt { get; set; }

    /// <summary>Longest answer, in tokens.</summary>
    public int MaxNewTokens { get; set; } = new GenerationSettings().MaxNewTokens;

    /// <summary>Field that holds the right answers, where answers are scored: those of an evaluation, or of the questions that a trained model has to answer before it is promoted.</summary>
    public string? Expected { get; set; } = "answer";

    /// <summary>Id of the file to learn from, or <see cref="ScheduleDefinition.NewestFile"/>.</summary>
    public string TrainingFile { get; set; } = ScheduleDefinition.NewestFile;

    /// <summary>What is trained.</summary>
    public TrainingMode Mode { get; set; }

    /// <summary>Part of the trained model's name.</summary>
    public string? Suffix { get; set; }

    /// <summary>Passes over the rows; null to have them chosen.</summary>
    public int? Epochs { get; set; }

    /// <summary>Name that the trained model takes over once it has answered what <see cref="Path"/> asks well enough; empty for none.</summary>
    public string? Promote { get; set; }

    /// <summary>Right answers, in hundredths of all, that a promoted model may have less than the one before.</summary>
    public double LoseAtMost { get; set; } = 1;

    /// <summary>When, in five cron fields.</summary>
    public string Cron { get; set; } = "0 2 * * *";

    /// <summary>IANA name of the zone of <see cref="Cron"/>.</summary>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>Whether what was answered before is left out.</summary>
    public bool OnlyNew { get; set; } = true;

    /// <summary>Whether a job is submitted although the one before is not over.</summary>
    public bool Queue { get; set; }

    /// <summary>The form of a schedule there is.</summary>
    public static ScheduleForm Of(ScheduleDefinition definition)
    {
        var (promotion, blank) = (definition.Training?.Promotion, new ScheduleForm());
        var asked = definition.Request ?? promotion?.Evaluate;
        return new()
        {
            Name = definition.Name,
            Kind = definition.Kind switch { ScheduleKind.Finetune => Finetune, ScheduleKind.Evaluate => Evaluate, _ => Annotate },
            SourceKind = asked is null ? blank.SourceKind : NameOf(asked.Source.Kind),
            Path = asked?.Source.Path,
            ImageFolder = asked?.Source.ImageFolder,
            Model = definition.Model,
            Prompt = asked?.Prompt,
            MaxNewTokens = asked?.Generation.MaxNewTokens ?? blank.MaxNewTokens,
            Expected = asked is null ? blank.Expected : asked.Expected,
            TrainingFile = definition.Training?.TrainingFile ?? blank.TrainingFile,
            Mode = definition.Training?.Settings.Mode ?? default,
            Suffix = definition.Training?.Suffix,
            Epochs = definition.Training?.Settings.Epochs,
            Promote = promotion?.Name,
            LoseAtMost = Math.Round(100 * (promotion?.LoseAtMost ?? (blank.LoseAtMost / 100)), 6),
            Cron = definition.Cron,
            TimeZone = definition.TimeZone,
            OnlyNew = definition.OnlyNew,
            Queue = definition.Overlap == ScheduleOverlap.Queue,
        };
    }

    /// <summary>What it asks for.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="before">What stood in its place; null where it is new.</param>
    public ScheduleDefinition ToDefinition(string tenant, ScheduleDefinition? before) => new()
    {
        Name = Name?.Trim() ?? "",
        Kind = Kind switch
        {
            Finetune => ScheduleKind.Finetune,
            Evaluate => ScheduleKind.Evaluate,
            _ => KindOfSource == Contracts.Requests.SourceKind.Questions ? ScheduleKind.Vqa : ScheduleKind.Annotate,
        },
        Cron = Cron.Trim(),
        TimeZone = TimeZone.Trim(),
        Request = Kind == Finetune ? null : ToRequest(tenant, before?.Request),
        Training = Kind == Finetune ? ToTraining(tenant, before?.Training) : null,
        OnlyNew = OnlyNew && Kind != Evaluate,
        Overlap = Queue ? ScheduleOverlap.Queue : ScheduleOverlap.Skip,
    };

    private SourceKind KindOfSource => Enum.GetValues<SourceKind>().FirstOrDefault(kind => NameOf(kind) == SourceKind);

    private JobRequest ToRequest(string tenant, JobRequest? earlier)
    {
        var kind = KindOfSource;
        SourceDescription source = new() { Kind = kind, Path = Path?.Trim() ?? "", ImageFolder = Text(ImageFolder) };
        return (earlier ?? new JobRequest { Model = "", Source = source, Tenant = tenant }) with
        {
            Model = Model?.Trim() ?? "",
            Prompt = Text(Prompt),
            Source = earlier is null ? source : earlier.Source with { Kind = kind, Path = source.Path, ImageFolder = source.ImageFolder },
            Generation = (earlier?.Generation ?? new()) with { MaxNewTokens = MaxNewTokens },
            Expected = Kind == Annotate ? null : Text(Expected)?.Trim(),
        };
    }

    private TrainingRequest ToTraining(string tenant, TrainingRequest? earlier) => (earlier ?? new TrainingRequest { Model = "", TrainingFile = "", Tenant = tenant }) with
    {
        Model = Model?.Trim() ?? "",
        TrainingFile = TrainingFile,
        Suffix = Text(Suffix)?.Trim(),
        Settings = (earlier?.Settings ?? new()) with { Mode = Mode, Epochs = Epochs },
        Promotion = Text(Promote) is { } name ? ToPromotion(name.Trim(), tenant, earlier?.Promotion) : null,
    };

    private PromotionRequest ToPromotion(string name, string tenant, PromotionRequest? earlier)
    {
        var questions = ToRequest(tenant, earlier?.Evaluate);
        return (earlier ?? new PromotionRequest { Name = name, Evaluate = questions }) with { Name = name, Evaluate = questions, LoseAtMost = LoseAtMost / 100 };
    }

    /// <summary>The field of the form that a finding is about; empty for one that the form does not show.</summary>
    public static string FieldOf(string finding) => finding switch
    {
        _ when finding.StartsWith(Questions, StringComparison.Ordinal) => FieldOf("request." + finding[Questions.Length..]),
        "name" => nameof(Name),
        "cron" => nameof(Cron),
        "time_zone" => nameof(TimeZone),
        "request.model" or "training.model" => nameof(Model),
        "request.expected" => nameof(Expected),
        "training.suffix" => nameof(Suffix),
        "training.n_epochs" => nameof(Epochs),
        "training.promotion.name" => nameof(Promote),
        "training.promotion.evaluate" => nameof(Expected),
        "training.promotion.lose_at_most" => nameof(LoseAtMost),
        "request.prompt" => nameof(Prompt),
        "request.source.path" => nameof(Path),
        "request.source.image_folder" => nameof(ImageFolder),
        "request.generation.max_new_tokens" => nameof(MaxNewTokens),
        _ => "",
    };

    private static string NameOf(SourceKind kind) => SourceDescription.KindNames[Array.IndexOf(Enum.GetValues<SourceKind>(), kind)];

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
