namespace Llava.ModelCore.Engine;

/// <summary>The engine at one moment. Counts are since its start.</summary>
public sealed record EngineStatistics
{
    /// <summary>Requests that wait for a slot.</summary>
    public int Waiting { get; init; }

    /// <summary>Sequences in slots.</summary>
    public int Running { get; init; }

    /// <summary>Those of them, waiting or running, that are not <see cref="RequestPriority.Bulk"/>.</summary>
    public int Urgent { get; init; }

    /// <summary>Sequences that could run at the same time.</summary>
    public int Slots { get; init; }

    /// <summary>Share of the KV cache reserved by running sequences, 0 to 1.</summary>
    public double KvUsage { get; init; }

    /// <summary>Steps run, those that failed too.</summary>
    public long Steps { get; init; }

    /// <summary>Sequences that ended, for whatever reason.</summary>
    public long Finished { get; init; }

    /// <summary>Those that ended with an error.</summary>
    public long Failed { get; init; }

    /// <summary>Prompt positions computed.</summary>
    public long PrefillTokens { get; init; }

    /// <summary>Prompt positions copied from shared prefixes instead.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Tokens computed by decoding.</summary>
    public long DecodeTokens { get; init; }

    /// <summary>Time spent on prompts, images included.</summary>
    public TimeSpan PrefillTime { get; init; }

    /// <summary>Time spent decoding.</summary>
    public TimeSpan DecodeTime { get; init; }

    /// <summary>Steps that decoded at least one row.</summary>
    public long DecodeSteps { get; init; }

    /// <summary>Sequences that copied a shared prefix.</summary>
    public long PrefixHits { get; init; }

    /// <summary>Images that went through the vision tower.</summary>
    public long ImagesEncoded { get; init; }

    /// <summary>Images whose features were in the cache.</summary>
    public long FeatureHits { get; init; }

    /// <summary>What the engine computes without though it was asked for, and why, in a sentence; null for nothing.</summary>
    public string? Notice { get; init; }

    /// <summary>Prompt positions computed per second of <see cref="PrefillTime"/>.</summary>
    public double PrefillTokensPerSecond => Rate(PrefillTokens, PrefillTime);

    /// <summary>Tokens decoded per second of <see cref="DecodeTime"/>.</summary>
    public double DecodeTokensPerSecond => Rate(DecodeTokens, DecodeTime);

    /// <summary>Mean share of the slots that decoded in a decoding step, 0 to 1.</summary>
    public double BatchFill => DecodeSteps == 0 ? 0 : (double)DecodeTokens / (DecodeSteps * Slots);

    private static double Rate(long tokens, TimeSpan time) => time > TimeSpan.Zero ? tokens / time.TotalSeconds : 0;
}
