using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.SdkTests;

/// <summary><c>llava up</c> with the model that ships, keys of several kinds, and a drawn scene to ask about.</summary>
public sealed partial class ServerUnderTest : IAsyncLifetime
{
    private static readonly Scene Drawn = Scene.FromSeed(Scene.FirstHeldOutSeed + 11, maxObjects: 1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-sdk-");
    private Process? _process;

    /// <summary>Where the server is.</summary>
    public string Address { get; private set; } = "";

    /// <summary>A key that may do what a program does.</summary>
    public string Key { get; private set; } = "";

    /// <summary>The drawn scene as PNG.</summary>
    public static byte[] Picture { get; } = ScenePixels.Png(Drawn, 160);

    /// <summary>What an answer about it says.</summary>
    public static string Words => $"{Drawn.Objects[0].Color} {Drawn.Objects[0].Shape}";

    /// <summary>What scripts are told, as environment variables.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; private set; } = new Dictionary<string, string>();

    public async Task InitializeAsync()
    {
        var data = Path.Combine(_folder.FullName, "data");
        var webhookPort = FreePort();
        Key = await MakeKeyAsync(data, "operator");
        ProcessStartInfo start = new(Program, ["up", "--port", "0", "--data", data]) { RedirectStandardOutput = true };
        // Small, so that a script gets beyond it in a moment; every key has its own.
        start.Environment["Llava__Api__Burst"] = "50";
        start.Environment["Llava__Api__RequestsPerSecond"] = "30";
        start.Environment["Llava__Scheduler__Poll"] = "00:00:00.2";
        start.Environment["Llava__Webhooks__PrivateNetworks__0"] = "127.0.0.0/8";
        start.Environment["Llava__Webhooks__Ports__0"] = webhookPort;
        start.Environment["Llava__Webhooks__FirstPause"] = "00:00:00.2";
        _process = Process.Start(start)!;
        Address = Origin().Match(await _process.StandardOutput.ReadLineAsync() ?? "").Value;
        Assert.NotEmpty(Address);
        var picture = Path.Combine(_folder.FullName, "scene.png");
        await File.WriteAllBytesAsync(picture, Picture);
        Variables = new Dictionary<string, string>
        {
            ["LLAVA_URL"] = Address,
            ["LLAVA_KEY"] = Key,
            ["LLAVA_VIEWER_KEY"] = await MakeKeyAsync(data, "viewer"),
            ["LLAVA_HASTY_KEY"] = await MakeKeyAsync(data, "operator"),
            ["LLAVA_WEBHOOK_PORT"] = webhookPort,
            ["LLAVA_PICTURE"] = picture,
            ["LLAVA_DRAWN"] = Words,
        };
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "llava");

    private static async Task<string> MakeKeyAsync(string data, string role)
    {
        ProcessStartInfo start = new(Program, ["keys", "create", "--name", "sdk", "--role", role]) { RedirectStandardOutput = true, WorkingDirectory = Repository.Root };
        start.Environment["LLAVA_DATA"] = data;
        using var process = Process.Start(start)!;
        var key = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return key!;
    }

    private static string FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"http://[^/\s]+")]
    private static partial Regex Origin();
}

/// <summary>All tests share one server, one after the other: they list what others have made.</summary>
[CollectionDefinition(nameof(ServerUnderTest))]
public sealed class ServerDefinition : ICollectionFixture<ServerUnderTest>;
