using System.CommandLine.Parsing;
using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Embedded;
using Llava.Cli.Output;
using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>Options that every command with a job shares.</summary>
internal sealed class JobOptions
{
    public const string DefaultModel = "llava-scenes";

    public Option<string> Model { get; } = new("--model") { Description = "A model folder, or the name of one in the models folder.", DefaultValueFactory = _ => DefaultModel };

    public Option<string?> Out { get; } = new("--out", "-o") { Description = "Where results go: a .jsonl, .csv, .parquet or .tar (WebDataset) file, or a folder for one .txt per image. Default: standard output." };

    public Option<OutputFormat?> Format { get; } = new("--format")
    {
        Description = $"{string.Join(", ", OutputFormats.Names.Keys.Order(StringComparer.Ordinal))}, when the name of --out does not say it (docs/formats.md).",
        HelpName = "format",
        CustomParser = Named(OutputFormats.Names),
    };

    public Option<int?> Sample { get; } = new("--sample") { Description = "Work on so many records first, spread over the source, then stop, show their results and say what the rest will take. Without it the same command goes on." };

    public Option<bool> Strict { get; } = new("--strict") { Description = "Refuse the whole job, before any work, when one item of the source cannot be used." };

    public Option<string?> Expected { get; } = new("--expected") { Description = "Field of each record that holds the right answer, such as answer: answers are scored by it.", HelpName = "field" };

    public Option<bool> Deduplicate { get; } = new("--deduplicate") { Description = "Answer items with equal images and prompts once, and give each the answer." };

    public Option<bool> Cache { get; } = new("--cache") { Description = "Give answers again that earlier jobs with --cache got to the very same, and keep this job's. Needs temperature 0 or a seed." };

    public Option<bool> AllowUrls { get; } = new("--allow-urls") { Description = "Fetch images that the source names by http or https URL, from public addresses only (docs/formats.md)." };

    public Option<int> MaxNewTokens { get; } = new("--max-new-tokens") { Description = "Longest answer, in tokens.", DefaultValueFactory = _ => 512 };

    public Option<double> Temperature { get; } = new("--temperature") { Description = "Randomness, 0 to 2; 0 always takes the likeliest token.", DefaultValueFactory = _ => 0 };

    public Option<double> TopP { get; } = new("--top-p") { Description = "Smallest set of tokens whose probabilities add up to this.", DefaultValueFactory = _ => 1 };

    public Option<long?> Seed { get; } = new("--seed") { Description = "Makes sampling repeatable." };

    public Option<string[]> Choices { get; } = new("--choices")
    {
        Description = "The only answers there are, with commas between them; each is scored, and the result's confidence is the share of the one that is given.",
        HelpName = "a,b,c",
        CustomParser = result => result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
    };

    public Option<FileInfo?> JsonSchema { get; } = new("--json-schema") { Description = "File with the JSON schema that every answer is valid for (docs/structured.md)." };

    public Option<string?> Regex { get; } = new("--regex") { Description = "Regular expression that every answer matches as a whole (docs/structured.md)." };

    public Option<string?> ConversationTemplate { get; } = new("--conv-mode") { Description = "Conversation template instead of the model's own, such as vicuna_v1." };

    public Option<DirectoryInfo?> Data { get; } = DataOption();

    public EngineArguments Engine { get; } = new();

    public static Option<DirectoryInfo?> DataOption() => new("--data") { Description = $"Folder of the embedded ledger. Default: ${DataFolder.Variable} or the user's data folder." };

    /// <summary>All of them: for a command that runs the job here and writes its results.</summary>
    public void AddTo(Command command)
    {
        AddRequestTo(command);
        command.Options.Add(Sample);
        command.Options.Add(Out);
        command.Options.Add(Format);
        command.Options.Add(AllowUrls);
        command.Options.Add(Data);
        Engine.AddTo(command);
    }

    /// <summary>Those that say what the job is.</summary>
    public void AddRequestTo(Command command)
    {
        command.Options.Add(Model);
        command.Options.Add(Strict);
        command.Options.Add(Expected);
        command.Options.Add(Deduplicate);
        command.Options.Add(Cache);
        command.Options.Add(MaxNewTokens);
        command.Options.Add(Temperature);
        command.Options.Add(TopP);
        command.Options.Add(Seed);
        command.Options.Add(Choices);
        command.Options.Add(JsonSchema);
        command.Options.Add(Regex);
        command.Options.Add(ConversationTemplate);
    }

    /// <summary>Reads one of these names.</summary>
    public static Func<ArgumentResult, T?> Named<T>(IReadOnlyDictionary<string, T> names)
        where T : struct => result =>
        {
            if (names.TryGetValue(result.Tokens[0].Value, out var value))
            {
                return value;
            }

            result.AddError($"'{result.Tokens[0].Value}' is none of {string.Join(", ", names.Keys.Order(StringComparer.Ordinal))}.");
            return null;
        };

    /// <summary>The request as typed, with the key that finds it again.</summary>
    public JobRequest Request(ParseResult typed, SourceDescription source, params IReadOnlyList<string> prompts)
    {
        var request = Request(typed, ModelFolders.NameForJobs(typed.GetValue(Model)!, DataFolder.Resolve(typed.GetValue(Data))), source, prompts);
        // Refused URLs are answers too: allowed ones are another job's. So are those of weights that are kept differently.
        var engine = string.Concat(Engine.Settings(typed).Select(setting => $"-{setting.Value}").Select(value => value.ToLowerInvariant()));
        return request with { IdempotencyKey = JobKey.Of(request) + (typed.GetValue(AllowUrls) ? "-urls" : "") + engine };
    }

    /// <summary>The request as typed for a server, where the model goes by its name there. The key is new: from here nobody can tell whether files there have changed.</summary>
    public JobRequest RequestToServer(ParseResult typed, SourceDescription source, params IReadOnlyList<string> prompts) =>
        Request(typed, typed.GetValue(Model)!, source, prompts) with { IdempotencyKey = $"cli-{Guid.NewGuid():n}" };

    /// <summary>The request as typed, of a model by the name under which it is served.</summary>
    public JobRequest Request(ParseResult typed, string model, SourceDescription source, IReadOnlyList<string> prompts) => new()
    {
        Model = model,
        Prompt = prompts is [var only] ? only : null,
        Prompts = prompts.Count > 1 ? prompts : [],
        Strict = typed.GetValue(Strict),
        Expected = typed.GetValue(Expected),
        Deduplicate = typed.GetValue(Deduplicate),
        Cache = typed.GetValue(Cache),
        Source = source,
        ConversationTemplate = typed.GetValue(ConversationTemplate),
        Generation = new GenerationSettings
        {
            MaxNewTokens = typed.GetValue(MaxNewTokens),
            Temperature = typed.GetValue(Temperature),
            TopP = typed.GetValue(TopP),
            Seed = typed.GetValue(Seed),
            Choices = typed.GetValue(Choices) is { Length: > 0 } choices ? choices : null,
            JsonSchema = typed.GetValue(JsonSchema) is { } schema ? ReadSchema(schema) : null,
            Regex = typed.GetValue(Regex),
        },
    };

    private static JsonElement ReadSchema(FileInfo file)
    {
        try
        {
            return JsonElement.Parse(File.ReadAllText(file.FullName));
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UsageException($"The JSON schema '{file}' cannot be read: {broken.Message}");
        }
    }
}
