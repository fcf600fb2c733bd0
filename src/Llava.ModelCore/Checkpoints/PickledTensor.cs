using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>A tensor as a torch pickle describes it: a view into a storage.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Whether the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous
    {
        get
        {
            var expected = 1L;
            for (var i = Shape.Length - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != expected)
                {
                    return false;
                }

                expected *= Shape[i];
            }

            return true;
        }
    }

    /// <summary>Elements of the storage between the view's first and last, both included; 0 for an empty tensor.</summary>
    /// <exception cref="OverflowException">The shape is larger than any storage.</exception>
    public long Span()
    {
        var last = 0L;
        for (var i = 0; i < Shape.Length; i++)
        {
            if (Shape[i] == 0)
            {
                return 0;
            }

            last = checked(last + ((Shape[i] - 1) * Strides[i]));
        }

        return last + 1;
    }
}

/// <summary>A storage named by a torch pickle: the entry <c>data/{Key}</c> of the archive.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Key">Name of the entry.</param>
/// <param name="Count">Elements.</param>
internal sealed record PickledStorage(ScalarType Type, string Key, long Count)
{
    /// <summary>From the persistent id ('storage', class, key, device, count); null when it is anything else.</summary>
    public static PickledStorage? From(object?[] id) => id is ["storage", PickleGlobal { Kind: PickleGlobalKind.Storage } type, string key, _, long count]
        ? new PickledStorage(type.Type!.Value, key, count)
        : null;
}

/// <summary>One of the names a torch archive may mention.</summary>
internal sealed record PickleGlobal(string Name, PickleGlobalKind Kind, ScalarType? Type = null)
{
    /// <summary>Null for every name that does not stand for a tensor's parts.</summary>
    public static PickleGlobal? Find(string name) => name switch
    {
        "collections.OrderedDict" => new PickleGlobal(name, PickleGlobalKind.OrderedDictionary),
        "torch._utils._rebuild_tensor_v2" => new PickleGlobal(name, PickleGlobalKind.Tensor),
        "torch._utils._rebuild_parameter" => new PickleGlobal(name, PickleGlobalKind.Parameter),
        _ when name.StartsWith("torch.", StringComparison.Ordinal) && ElementTypes.FromStorage(name["torch.".Length..]) is { } type
            => new PickleGlobal(name, PickleGlobalKind.Storage, type),
        _ => null,
    };
}

/// <summary>What a <see cref="PickleGlobal"/> stands for.</summary>
internal enum PickleGlobalKind
{
    OrderedDictionary,
    Tensor,
    Parameter,
    Storage,
}
