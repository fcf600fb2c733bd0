using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Shim;

/// <summary>One operator of libtorch through its dispatcher, on any device and recorded by autograd. Made once and kept, because its names live as long as the process.</summary>
/// <param name="name">With its namespace: <c>aten::cat</c>.</param>
/// <param name="overload">As the schema names it; empty for the first.</param>
/// <param name="results">Tensors that it returns. Default 1.</param>
internal sealed unsafe class TorchOperator(string name, string overload = "", int results = 1)
{
    private static readonly ulong Abi = ShimFunctions.Own.AbiVersion();

    private readonly string _action = $"run '{name}'";
    private readonly byte* _name = (byte*)Marshal.StringToCoTaskMemUTF8(name);
    private readonly byte* _overload = (byte*)Marshal.StringToCoTaskMemUTF8(overload);

    /// <summary>Calls it.</summary>
    /// <param name="arguments">All arguments of the schema in order, with those that have defaults.</param>
    /// <returns>The handle of the tensor that it returns first; the caller frees it. The others are freed here.</returns>
    /// <exception cref="ShimException">libtorch refuses the arguments.</exception>
    public nint Invoke(params ReadOnlySpan<ShimValue> arguments)
    {
        var stack = stackalloc ulong[Math.Max(arguments.Length, results)];
        Call(stack, arguments);
        for (var i = 1; i < results; i++)
        {
            StableShim.Free((nint)stack[i]);
        }

        return (nint)stack[0];
    }

    /// <summary>Calls one that returns nothing, because it changes what it is given.</summary>
    /// <param name="arguments">All arguments of the schema in order, with those that have defaults.</param>
    /// <exception cref="ShimException">libtorch refuses the arguments.</exception>
    public void Apply(params ReadOnlySpan<ShimValue> arguments)
    {
        var stack = stackalloc ulong[arguments.Length];
        Call(stack, arguments);
    }

    private void Call(ulong* stack, ReadOnlySpan<ShimValue> arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            stack[i] = arguments[i].Handed();
        }

        StableShim.Check(ShimFunctions.Own.CallDispatcher(_name, _overload, stack, Abi), _action);
    }
}
