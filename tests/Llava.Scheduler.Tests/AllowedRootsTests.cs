using Llava.Hosting.Paths;

namespace Llava.Scheduler.Tests;

public sealed class AllowedRootsTests : SourceFolder
{
    [Theory]
    [InlineData("a.png")]
    [InlineData("missing/a.png")]
    [InlineData("./sub/../a.png")]
    [InlineData("inside-link.png")]
    [InlineData("inside-folder/a.png")]
    public void What_lies_below_a_root_is_resolved(string path)
    {
        Prepare();

        Assert.StartsWith(Root + Path.DirectorySeparatorChar, Roots.Resolve(path, Root), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../a.png")]
    [InlineData("../root-evil/a.png")]
    [InlineData("/etc/passwd")]
    [InlineData("link.png")]
    [InlineData("folder/a.png")]
    [InlineData("folder/deeper/a.png")]
    [InlineData("link-to-link.png")]
    [InlineData("circle")]
    [InlineData("a\0.png")]
    [InlineData("")]
    public void What_leaves_the_root_is_refused_however_it_is_spelled(string path)
    {
        Prepare();

        Assert.Throws<PathNotAllowedException>(() => Roots.Resolve(path, Root));
    }

    [Fact]
    public void A_root_that_is_itself_a_link_is_taken_for_what_it_names()
    {
        var link = Path.Combine(Root, "..", "linked-root");
        Directory.CreateSymbolicLink(link, Root);

        Assert.Equal(Path.Combine(Root, "a.png"), new AllowedRoots([link]).Resolve("a.png", link));
    }

    [Fact]
    public void Without_roots_nothing_may_be_read() =>
        Assert.Contains("ImageRoots", Assert.Throws<PathNotAllowedException>(() => new AllowedRoots([]).Resolve("a.png", Root)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_folder_that_is_allowed_later_may_be_read_and_no_other()
    {
        var roots = Roots;
        roots.Allow([Outside]);

        Assert.Equal(Path.Combine(Outside, "a.png"), roots.Resolve("a.png", Outside));
        Assert.Equal(Path.Combine(Root, "a.png"), roots.Resolve("a.png", Root));
        Assert.Throws<PathNotAllowedException>(() => roots.Resolve("a.png", Path.GetDirectoryName(Outside)!));
    }

    private void Prepare()
    {
        Directory.CreateDirectory(Path.Combine(Outside, "deeper"));
        Directory.CreateDirectory(Path.Combine(Root, "sub"));
        File.CreateSymbolicLink(Path.Combine(Root, "inside-link.png"), Path.Combine(Root, "a.png"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "inside-folder"), "sub");
        File.CreateSymbolicLink(Path.Combine(Root, "link.png"), Path.Combine(Outside, "a.png"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "folder"), Path.Combine("..", "root-evil"));
        File.CreateSymbolicLink(Path.Combine(Root, "link-to-link.png"), "link.png");
        File.CreateSymbolicLink(Path.Combine(Root, "circle"), "circle");
    }
}
