using System.Runtime.InteropServices;

namespace Llava.ModelCore.Engine;

/// <summary>A request on its way through the engine. Only the engine's thread touches it once it is enqueued.</summary>
internal sealed class Sequence
{
    private readonly List<int> _tokens;

    public Sequence(SequenceRequest request, PromptLayout layout)
    {
        Request = request;
        Layout = layout;
        Seed = request.Sampling.Seed ?? Random.Shared.NextInt64();
        _tokens = new List<int>(request.PromptTokens.Count + 16);
        _tokens.AddRange(request.PromptTokens);
    }

    public SequenceRequest Request { get; }

    public PromptLayout Layout { get; }

    public long Seed { get; }

    /// <summary>Positions its extent must hold at most.</summary>
    public int Reserved => Layout.Positions + Request.Sampling.MaxNewTokens;

    /// <summary>Its part of the KV arena; null while it waits.</summary>
    public Extent? Extent { get; set; }

    /// <summary>The shared prefix it waits for, builds, or copied.</summary>
    public PrefixEntry? Prefix { get; set; }

    /// <summary>Positions whose keys and values are in the extent, or will be after the step that is planned.</summary>
    public int Computed { get; set; }

    /// <summary>Positions copied from a shared prefix instead of being computed.</summary>
    public int CachedPositions { get; set; }

    public bool IsPrefilling => Computed < Layout.Positions;

    /// <summary>Prompt ids with placeholders, then generated ids.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    public ReadOnlySpan<int> Generated => Tokens[Request.PromptTokens.Count..];

    /// <summary>
    /// Positions of the next chunk. Chunks end at the prefix and at multiples of the chunk length from where their part
    /// begins: boundaries that depend on nothing but the sequence itself, so its numbers do not either.
    /// </summary>
    public int NextChunk(int chunkTokens)
    {
        var end = Computed < Layout.PrefixPositions ? Layout.PrefixPositions : Layout.Positions;
        return Math.Min(chunkTokens, end - Computed);
    }

    public void Append(int token) => _tokens.Add(token);
}
