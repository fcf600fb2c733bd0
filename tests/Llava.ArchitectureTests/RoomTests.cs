using ArchUnitNET.Domain;
using ArchUnitNET.Fluent;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnit;
using Llava.ModelCore.Native;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Llava.ArchitectureTests;

/// <summary>Rooms inside the model core: each may use those listed for it and nothing else, inside method bodies too.</summary>
public sealed class RoomTests
{
    private static readonly string[] Floor = ["Native", "Imaging", "Tokenization", "Grammars", "Prompts", "Scenes", "Quantization", "Checkpoints", "Adapters", "Models", "Kernels"];

    /// <summary>Side by side above the floor; Engine and Training never see each other.</summary>
    private static readonly Dictionary<string, string[]> Upper = new()
    {
        ["Engine"] = Floor,
        ["Training"] = Floor,
        ["Evaluation"] = [.. Floor, "Engine"],
    };

    private static readonly Architecture Core = new ArchLoader().LoadAssemblies(typeof(TorchLibrary).Assembly).Build();

    public static TheoryData<string> Rooms => [.. Built()];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_uses_earlier_rooms_only(string room)
    {
        var allowed = Upper.TryGetValue(room, out var listed) ? listed : Floor[..Array.IndexOf(Floor, room)];
        foreach (var other in Built().Where(r => r != room && !allowed.Contains(r)))
        {
            IArchRule rule = Types().That().ResideInNamespaceMatching(Namespace(room))
                .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching(Namespace(other)))
                .Because($"{room} comes before {other}, or beside it");
            rule.Check(Core);
        }
    }

    [Fact]
    public void Every_folder_of_the_model_core_is_a_known_room()
    {
        var folders = Directory.EnumerateDirectories(Path.Combine(SourceFiles.Folder, "Llava.ModelCore"))
            .Select(f => Path.GetFileName(f)!).Where(f => f is not ("bin" or "obj"));

        Assert.Empty(folders.Except([.. Floor, .. Upper.Keys]));
    }

    private static IEnumerable<string> Built() => Floor.Concat(Upper.Keys)
        .Where(room => Core.Types.Any(t => t.Namespace.FullName.StartsWith($"Llava.ModelCore.{room}", StringComparison.Ordinal)));

    private static string Namespace(string room) => $@"^Llava\.ModelCore\.{room}(\.|$)";
}
