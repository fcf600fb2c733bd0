using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Tokens of a step that nobody has read, of each of its passes.</summary>
/// <param name="parts">At least one; disposed here.</param>
internal sealed class UnreadStep(IReadOnlyList<UnreadTokens> parts) : IDisposable
{
    /// <summary>The tokens, pass by pass.</summary>
    public IReadOnlyList<UnreadTokens> Parts => parts;

    /// <summary>int32: the tokens on the device, in the caller's scope.</summary>
    public Tensor OnDevice => parts.Count == 1 ? parts[0].OnDevice : cat([.. parts.Select(part => part.OnDevice)], 0);

    /// <summary>Where a sequence's token lies among them.</summary>
    public int IndexOf(Sequence sequence)
    {
        var before = 0;
        foreach (var part in parts)
        {
            if (part.IndexOf(sequence) is >= 0 and var index)
            {
                return before + index;
            }

            before += part.Count;
        }

        throw new InvalidOperationException("A sequence waits for a token that nobody has.");
    }

    /// <inheritdoc cref="UnreadTokens.Leave"/>
    public void Leave()
    {
        foreach (var part in parts)
        {
            part.Leave();
        }
    }

    /// <inheritdoc cref="UnreadTokens.Return"/>
    public void Return()
    {
        foreach (var part in parts)
        {
            part.Return();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in parts)
        {
            part.Dispose();
        }
    }
}
