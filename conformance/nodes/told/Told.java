import com.ericsson.otp.erlang.OtpEpmd;
import com.ericsson.otp.erlang.OtpNode;
import com.ericsson.otp.erlang.OtpPeer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A node of jinterface. It does what each line of its input says, and answers with a line. */
public class Told {
    private final String name;
    private final String cookie;
    private OtpNode node;
    // The finalizer of a node closes it once more, and unregisters the next of the same name.
    // It does not run for those that are kept here.
    private final List<OtpNode> ended = new ArrayList<>();

    private Told(String name, String cookie) throws IOException {
        this.name = name;
        this.cookie = cookie;
        node = new OtpNode(name, cookie);
    }

    public static void main(String[] args) throws IOException {
        Told told = new Told(args[0], args[1]);
        System.out.println("READY " + told.node.node());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        int n = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            n++;
            String answer;
            try {
                answer = told.obey(line.split(" "));
            } catch (IOException e) {
                answer = e.toString();
            }
            System.out.println("ANSWER " + n + " " + answer);
        }
        System.exit(0); // as a program does that is ended; nothing is unregistered
    }

    private String obey(String[] words) throws IOException {
        switch (words[0]) {
            case "creation":
                return Integer.toUnsignedString(node.createPid().creation());
            case "port":
                return Integer.toString(node.port());
            case "lookup":
                return Integer.toString(OtpEpmd.lookupPort(new OtpPeer(words[1])));
            case "names":
                String[] names = OtpEpmd.lookupNames(InetAddress.getByName("127.0.0.1"));
                Arrays.sort(names);
                return String.join(",", names);
            case "ping":
                return node.ping(words[1], 60000) ? "pong" : "pang";
            case "close":
                ended.add(node);
                node.close();
                return "ok";
            case "open":
                node = new OtpNode(name, cookie);
                return "ok";
            case "restart":
                return restart(Integer.parseInt(words[1]));
        }
        return "what is " + words[0] + "?";
    }

    /** Closes the node and starts it at once, again and again; each life has the next creation. */
    private String restart(int times) throws IOException {
        for (int i = 1; i <= times; i++) {
            int before = node.createPid().creation();
            ended.add(node);
            node.close();
            try {
                node = new OtpNode(name, cookie);
            } catch (IOException e) {
                return "refused at start " + i + ": " + e;
            }
            int now = node.createPid().creation();
            if (now != before + 1) {
                return "creation " + now + " after " + before + " at start " + i;
            }
        }
        return "ok";
    }
}
