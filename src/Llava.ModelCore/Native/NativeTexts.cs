using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native;

/// <summary>Texts and arrays of texts as C has them, until it is disposed.</summary>
internal sealed unsafe class NativeTexts : IDisposable
{
    private readonly List<nint> _blocks = [];

    /// <summary>A text in UTF-8 that ends with a zero.</summary>
    public byte* Of(string text) => (byte*)Kept(Marshal.StringToCoTaskMemUTF8(text));

    /// <summary>An array of such texts.</summary>
    public byte** Array(IEnumerable<string> texts)
    {
        nint[] pointers = [.. texts.Select(text => (nint)Of(text))];
        var array = Kept(Marshal.AllocCoTaskMem(Math.Max(1, pointers.Length) * sizeof(nint)));
        Marshal.Copy(pointers, 0, array, pointers.Length);
        return (byte**)array;
    }

    /// <inheritdoc/>
    public void Dispose() => _blocks.ForEach(Marshal.FreeCoTaskMem);

    private nint Kept(nint block)
    {
        _blocks.Add(block);
        return block;
    }
}
