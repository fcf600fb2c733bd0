namespace Llava.Benchmarks.LlamaCpp.Cases;

/// <summary>What is to be measured.</summary>
internal sealed record PeerSettings
{
    /// <summary>Names of shapes, each a model of its own.</summary>
    public required IReadOnlyList<string> Shapes { get; init; }

    /// <summary>Groups of cases: language, vision, captions, questions.</summary>
    public required IReadOnlySet<string> Groups { get; init; }

    /// <summary>Folder for llama.cpp's model files, which are deleted again.</summary>
    public required string Work { get; init; }

    /// <summary>Threads of both sides.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Rounds of a prompt, of which the median counts; steps of decoding get four times as many, and captions and questions a third.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>Positions that a decoding sequence has behind it.</summary>
    public int Context { get; init; } = 600;

    /// <summary>Sequences that decode together.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1, 8, 32];
}
