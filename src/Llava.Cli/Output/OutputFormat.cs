using System.Collections.Frozen;

namespace Llava.Cli.Output;

/// <summary>How results are written.</summary>
internal enum OutputFormat
{
    /// <summary>One JSON object per line.</summary>
    Jsonl,

    /// <summary>As <see cref="Jsonl"/>, with the timeline of each item.</summary>
    Timeline,

    /// <summary>Comma-separated values with a header.</summary>
    Csv,

    /// <summary>A Parquet file.</summary>
    Parquet,

    /// <summary>COCO's JSON: images and a caption for each answer.</summary>
    Coco,

    /// <summary>LLaVA's answer file (spec 8.1).</summary>
    Answers,

    /// <summary>OpenAI's batch output: one line per answer.</summary>
    OpenAi,

    /// <summary>OpenAI's batch errors: one line per item without an answer.</summary>
    OpenAiErrors,

    /// <summary>A WebDataset tar archive: image, answer and result of each item that was answered.</summary>
    WebDataset,

    /// <summary>One text file per image.</summary>
    Txt,
}

/// <summary>Formats as they are typed, and as the name of a file asks for them.</summary>
internal static class OutputFormats
{
    public static FrozenDictionary<string, OutputFormat> Names { get; } = new Dictionary<string, OutputFormat>
    {
        ["jsonl"] = OutputFormat.Jsonl,
        ["timeline"] = OutputFormat.Timeline,
        ["csv"] = OutputFormat.Csv,
        ["parquet"] = OutputFormat.Parquet,
        ["coco"] = OutputFormat.Coco,
        ["answers"] = OutputFormat.Answers,
        ["openai"] = OutputFormat.OpenAi,
        ["openai-errors"] = OutputFormat.OpenAiErrors,
        ["webdataset"] = OutputFormat.WebDataset,
        ["txt"] = OutputFormat.Txt,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="UsageException">The name says nothing.</exception>
    public static OutputFormat Of(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" => OutputFormat.Csv,
        ".jsonl" or ".ndjson" or ".json" => OutputFormat.Jsonl,
        ".parquet" => OutputFormat.Parquet,
        ".tar" => OutputFormat.WebDataset,
        "" => OutputFormat.Txt,
        var other => throw new UsageException($"'{path}' ends in '{other}'. Give a .jsonl, .csv, .parquet or .tar file, a folder for one .txt per image, or say --format."),
    };

    /// <summary>Whether a file cut off anywhere is whole up to its last line, so that writing can go on there.</summary>
    public static bool IsLines(this OutputFormat format) => format is OutputFormat.Jsonl or OutputFormat.Timeline or OutputFormat.Csv or OutputFormat.Answers;
}
