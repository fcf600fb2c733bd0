using System.Net;
using System.Net.Sockets;

namespace Llava.BrowserTests;

/// <summary>Takes events at an address of this machine and says that all is well.</summary>
internal sealed class EventListener : IDisposable
{
    private readonly HttpListener _listener = new();

    public EventListener()
    {
        using TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        Address = new($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/llava/");
        free.Stop();
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _ = AnswerAsync();
    }

    public Uri Address { get; }

    public void Dispose() => _listener.Close();

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                (await _listener.GetContextAsync()).Response.Close();
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
