using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Frees each layer's temporaries when the layer is done; without it a pass keeps those of all layers until its end.</summary>
internal sealed class LayerScopes : IDisposable
{
    private DisposeScope? _current;

    /// <summary>Closes a layer, keeping its output. What came before the first layer stays for all of them.</summary>
    public void Next(int layer, Tensor hidden)
    {
        Close(hidden);
        _current = NewDisposeScope();
    }

    /// <summary>Closes the last layer and keeps the pass's result.</summary>
    public Tensor Close(Tensor result)
    {
        if (_current is not null)
        {
            result.MoveToOuterDisposeScope();
            Dispose();
        }

        return result;
    }

    public void Dispose()
    {
        _current?.Dispose();
        _current = null;
    }
}
