using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Llava.ModelCore.Native;

/// <summary>
/// Copies an ELF64 library into a cache folder with one version requirement marked weak (VER_FLG_WEAK in the
/// <c>.gnu.version_r</c> section), so that the dynamic linker warns instead of refusing. See the System V ABI supplement
/// "Symbol versioning", structures Verneed and Vernaux.
/// </summary>
internal static class WeakenedCopy
{
    private const ushort VerFlgWeak = 2;

    /// <summary>Path of the copy; made on first use, kept under a name that contains the content's hash.</summary>
    public static string Of(string library, string version)
    {
        var bytes = File.ReadAllBytes(library);
        var folder = Path.Combine(UserCache.Folder("native"), Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
        var copy = Path.Combine(folder, Path.GetFileName(library));
        if (File.Exists(copy))
        {
            return copy;
        }

        Weaken(bytes, version, library);
        UserCache.Write(copy, bytes);
        return copy;
    }

    private static void Weaken(Span<byte> elf, string version, string library)
    {
        var sections = ElfSections.Of(elf);
        foreach (var needs in sections.Where(section => section.Type == ElfSection.VersionNeeds))
        {
            if (WeakenIn(elf, needs.Offset, needs.Info, sections[needs.Link].Offset, version))
            {
                return;
            }
        }

        throw new TorchLibraryException($"'{library}' does not load here and does not ask for {version} either; its cause is something else. Run 'ldd {library}' to see what is missing.");
    }

    private static bool WeakenIn(Span<byte> elf, int need, int count, int strings, string version)
    {
        for (var n = 0; n < count; n++)
        {
            var auxiliaries = BinaryPrimitives.ReadUInt16LittleEndian(elf[(need + 2)..]);
            var aux = need + BinaryPrimitives.ReadInt32LittleEndian(elf[(need + 8)..]);
            for (var a = 0; a < auxiliaries; a++)
            {
                var name = strings + BinaryPrimitives.ReadInt32LittleEndian(elf[(aux + 8)..]);
                if (ElfSections.NameAt(elf, name) == version)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(elf[(aux + 4)..], VerFlgWeak);
                    return true;
                }

                aux += BinaryPrimitives.ReadInt32LittleEndian(elf[(aux + 12)..]);
            }

            need += BinaryPrimitives.ReadInt32LittleEndian(elf[(need + 12)..]);
        }

        return false;
    }
}
