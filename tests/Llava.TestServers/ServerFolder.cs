using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Llava.TestServers;

/// <summary>A server's temporary folder and the small tools that starting and stopping it takes.</summary>
internal sealed class ServerFolder : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string Path { get; } = Directory.CreateTempSubdirectory("llava-server-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>A port of this machine that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public static async Task RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardError = start.RedirectStandardOutput = true;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{start.FileName} {string.Join(' ', start.ArgumentList)}' ended with {process.ExitCode}: {await output}{await errors}");
        }
    }

    /// <summary>Waits until something is so.</summary>
    /// <param name="what">What is waited for, for the failure's text.</param>
    /// <param name="isSo">Asked again and again; what it throws counts as no.</param>
    public static async Task WaitUntilAsync(string what, Func<Task<bool>> isSo)
    {
        var patience = Stopwatch.StartNew();
        Exception? last = null;
        while (patience.Elapsed < Patience)
        {
            try
            {
                if (await isSo())
                {
                    return;
                }
            }
            catch (Exception failure)
            {
                last = failure;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"{what} did not happen within {Patience.TotalSeconds:0} s.", last);
    }

    /// <summary>Whether something accepts connections on the port.</summary>
    public static async Task<bool> AcceptsAsync(int port)
    {
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return true;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
