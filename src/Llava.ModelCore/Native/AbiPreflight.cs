using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native;

/// <summary>
/// Whether a libtorch has everything that TorchSharp's binding was built against. The binding finds its functions when they are first called, and one that is
/// not there would end the process at that moment; so they are looked up before anything is loaded that needs them.
/// </summary>
internal static class AbiPreflight
{
    private const int SymbolBytes = 24;
    private const int Weak = 2;
    private const int Undefined = 0;
    private const int Named = 3;

    // Lengths and names of libtorch's namespaces, as mangled names have them. What the C++ library lacks is not libtorch's fault: see WeakenedCopy.
    private static readonly string[] Namespaces = ["2at", "3c10", "5torch", "6caffe2"];

    /// <summary>Refuses a libtorch that lacks something.</summary>
    /// <param name="binding">File of the binding.</param>
    /// <param name="libraries">Handles of libtorch's libraries; what they depend on counts too.</param>
    /// <param name="folder">Where libtorch is, for the message.</param>
    /// <returns>How many functions and data the binding imports.</returns>
    /// <exception cref="TorchLibraryException">Something is missing; the message has its names and what to do.</exception>
    public static int Check(string binding, IReadOnlyList<nint> libraries, string folder)
    {
        var imports = Imports(File.ReadAllBytes(binding));
        string[] missing = [.. imports.Where(name => !libraries.Any(library => NativeLibrary.TryGetExport(library, name, out _)))];
        return missing.Length == 0 ? imports.Count : throw new TorchLibraryException(
            $"The libtorch in '{folder}' does not fit this program: it lacks {missing.Length} of the {imports.Count} symbols that TorchSharp imports, "
            + $"such as {string.Join(", ", missing.Take(Named).Select(name => $"'{name}'"))}. Use PyTorch 2.10 or the next minor versions, or unset {TorchLibrary.FolderVariable} to use the libtorch that came along.");
    }

    /// <summary>Names that a library must find in libtorch; those it can do without (weak ones) are left out.</summary>
    /// <param name="elf">The library, ELF64.</param>
    public static IReadOnlyList<string> Imports(ReadOnlySpan<byte> elf)
    {
        var sections = ElfSections.Of(elf);
        var table = sections.Single(section => section.Type == ElfSection.DynamicSymbols);
        List<string> names = [];
        // The first symbol is none.
        for (var symbol = elf.Slice(table.Offset + SymbolBytes, table.Size - SymbolBytes); symbol.Length > 0; symbol = symbol[SymbolBytes..])
        {
            if (BinaryPrimitives.ReadUInt16LittleEndian(symbol[6..]) != Undefined || symbol[4] >> 4 == Weak)
            {
                continue;
            }

            var name = ElfSections.NameAt(elf, sections[table.Link].Offset + BinaryPrimitives.ReadInt32LittleEndian(symbol));
            if (Namespaces.Any(space => name.Contains(space, StringComparison.Ordinal)))
            {
                names.Add(name);
            }
        }

        return names;
    }
}
