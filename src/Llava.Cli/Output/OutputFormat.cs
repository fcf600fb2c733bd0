namespace Llava.Cli.Output;

/// <summary>How results are written.</summary>
internal enum OutputFormat
{
    /// <summary>One JSON object per line.</summary>
    Jsonl,

    /// <summary>Comma-separated values with a header.</summary>
    Csv,

    /// <summary>LLaVA's answer file (spec 8.1).</summary>
    Answers,

    /// <summary>One text file per image.</summary>
    Txt,
}
