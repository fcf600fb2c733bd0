using Llava.Contracts.Requests;
using Llava.Ledger.Schedules;

namespace Llava.Dashboard.Schedules;

/// <summary>A schedule as a form spells it. What a form does not show stays as it was.</summary>
public sealed class ScheduleForm
{
    /// <summary>Its handle.</summary>
    public string? Name { get; set; }

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

    /// <summary>When, in five cron fields.</summary>
    public string Cron { get; set; } = "0 2 * * *";

    /// <summary>IANA name of the zone of <see cref="Cron"/>.</summary>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>Whether what was answered before is left out.</summary>
    public bool OnlyNew { get; set; } = true;

    /// <summary>Whether a job is submitted although the one before is not over.</summary>
    public bool Queue { get; set; }

    /// <summary>The form of a schedule there is.</summary>
    public static ScheduleForm Of(ScheduleDefinition definition) => new()
    {
        Name = definition.Name,
        SourceKind = NameOf(definition.Request.Source.Kind),
        Path = definition.Request.Source.Path,
        ImageFolder = definition.Request.Source.ImageFolder,
        Model = definition.Request.Model,
        Prompt = definition.Request.Prompt,
        MaxNewTokens = definition.Request.Generation.MaxNewTokens,
        Cron = definition.Cron,
        TimeZone = definition.TimeZone,
        OnlyNew = definition.OnlyNew,
        Queue = definition.Overlap == ScheduleOverlap.Queue,
    };

    /// <summary>What it asks for.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="before">What stood in its place; null where it is new.</param>
    public ScheduleDefinition ToDefinition(string tenant, ScheduleDefinition? before)
    {
        var kind = Enum.GetValues<SourceKind>().FirstOrDefault(kind => NameOf(kind) == SourceKind);
        SourceDescription source = new() { Kind = kind, Path = Path?.Trim() ?? "", ImageFolder = Text(ImageFolder) };
        var earlier = before?.Request;
        var request = (earlier ?? new JobRequest { Model = "", Source = source, Tenant = tenant }) with
        {
            Model = Model?.Trim() ?? "",
            Prompt = Text(Prompt),
            Source = earlier is null ? source : earlier.Source with { Kind = kind, Path = source.Path, ImageFolder = source.ImageFolder },
            Generation = (earlier?.Generation ?? new()) with { MaxNewTokens = MaxNewTokens },
        };
        return new()
        {
            Name = Name?.Trim() ?? "",
            Kind = kind == Contracts.Requests.SourceKind.Questions ? ScheduleKind.Vqa : ScheduleKind.Annotate,
            Cron = Cron.Trim(),
            TimeZone = TimeZone.Trim(),
            Request = request,
            OnlyNew = OnlyNew,
            Overlap = Queue ? ScheduleOverlap.Queue : ScheduleOverlap.Skip,
        };
    }

    /// <summary>The field of the form that a finding is about; empty for one that the form does not show.</summary>
    public static string FieldOf(string finding) => finding switch
    {
        "name" => nameof(Name),
        "cron" => nameof(Cron),
        "time_zone" => nameof(TimeZone),
        "request.model" => nameof(Model),
        "request.prompt" => nameof(Prompt),
        "request.source.path" => nameof(Path),
        "request.source.image_folder" => nameof(ImageFolder),
        "request.generation.max_new_tokens" => nameof(MaxNewTokens),
        _ => "",
    };

    private static string NameOf(SourceKind kind) => SourceDescription.KindNames[Array.IndexOf(Enum.GetValues<SourceKind>(), kind)];

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
