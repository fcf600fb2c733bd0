using System.Net;
using Llava.Dashboard.Tests.Api;
using Llava.Testing;

namespace Llava.Dashboard.Tests.Pages;

/// <summary>What pages load comes from here, and is what was taken in.</summary>
public sealed class AssetTests(Server server) : IClassFixture<Server>
{
    [Theory]
    [InlineData("htmx-4.0.1.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130")]
    [InlineData("uplot-1.6.32.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f")]
    [InlineData("uplot-1.6.32.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04")]
    [InlineData("inter-latin-5.3.0.woff2", "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62")]
    public void What_others_made_is_unchanged(string name, string sha256) => Assert.Equal(sha256, Assets.Hash(name));

    [Theory]
    [InlineData("htmx")]
    [InlineData("uplot")]
    [InlineData("inter")]
    public void What_others_made_has_its_licence_beside_it(string name) =>
        Assert.NotEmpty(File.ReadAllText(Repository.Path("src", "Llava.Dashboard", "Assets", $"{name}-LICENSE.txt")));

    [Fact]
    public void No_asset_names_another_site() => Assert.All(Assets.Names.Where(name => !name.Contains(".min.", StringComparison.Ordinal) && !name.EndsWith(".woff2", StringComparison.Ordinal)), name =>
        Assert.DoesNotMatch("(https?:)?//(?!www\\.w3\\.org/)[a-z]", File.ReadAllText(Repository.Path("src", "Llava.Dashboard", "Assets", name)).Replace("// ", "", StringComparison.Ordinal)));

    [Fact]
    public async Task An_asset_under_its_hash_is_kept_for_good()
    {
        using var http = server.Stranger();

        using var answer = await http.GetAsync(new Uri(Assets.Url("theme.css"), UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("public, max-age=31536000, immutable", answer.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task What_is_no_asset_is_not_found()
    {
        using var http = server.Stranger();

        using var answer = await http.GetAsync(new Uri("/assets/inter-LICENSE.txt", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }
}
